// Dragging a list's rows: with the mouse anywhere on a row, with a finger by its handle.

const THRESHOLD = 4; // pixels before a press becomes a drag
const EDGE = 48; // pixels from the window's edge where the page scrolls along

const middle = (row) => row.offsetTop + row.offsetHeight / 2;

// `mayMove(row)` says whether it can be dragged, `end(row, moved)` hears when it was let go.
export function makeSortable(list, mayMove, end) {
  let drag = null;

  const pointer = (event) => event.clientY - list.getBoundingClientRect().top;

  function begin(event) {
    const row = event.target.closest('li');
    const isMouse = event.pointerType === 'mouse';
    if (event.button !== 0 || !row || !mayMove(row)) return;
    if (event.target.closest('input, .destroy')) return;
    if (!isMouse && !event.target.closest('.handle')) return;
    drag = { row, id: event.pointerId, start: pointer(event), next: row.nextElementSibling };
    drag.grip = drag.start - row.offsetTop;
  }

  function lift() {
    drag.lifted = true;
    drag.row.classList.add('dragging');
    list.classList.add('sorting');
    list.setPointerCapture(drag.id);
  }

  function follow(event) {
    if (!drag || event.pointerId !== drag.id) return;
    const { row, grip } = drag;
    const place = pointer(event);
    if (!drag.lifted && Math.abs(place - drag.start) < THRESHOLD) return;
    if (!drag.lifted) lift();
    const top = place - grip;
    const bottom = top + row.offsetHeight;
    while (row.previousElementSibling && top < middle(row.previousElementSibling))
      list.insertBefore(row, row.previousElementSibling);
    while (row.nextElementSibling && bottom > middle(row.nextElementSibling))
      list.insertBefore(row.nextElementSibling, row);
    row.style.translate = `0 ${top - row.offsetTop}px`;
    if (event.clientY < EDGE) scrollBy(0, -EDGE / 4);
    else if (event.clientY > innerHeight - EDGE) scrollBy(0, EDGE / 4);
  }

  function letGo(keep) {
    if (!drag) return;
    const { row, next, lifted } = drag;
    drag = null;
    if (!lifted) return;
    if (!keep) list.insertBefore(row, next);
    row.classList.remove('dragging');
    row.style.translate = '';
    list.classList.remove('sorting');
    end(row, row.nextElementSibling !== next);
  }

  list.addEventListener('pointerdown', begin);
  addEventListener('pointermove', follow);
  addEventListener('pointerup', () => letGo(true));
  addEventListener('pointercancel', () => letGo(false));
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape') letGo(false);
  });
}
