// Dragging a list's rows: by their handles, and with the mouse wherever a row has no text.

const THRESHOLD = 4; // pixels before a press becomes a drag
const EDGE = 96; // pixels from the window's edge where the page scrolls along

const middle = (row) => row.offsetTop + row.offsetHeight / 2;

// `mayMove(row)` says whether it can be dragged, `end(row, moved)` hears when it was let go.
export function makeSortable(list, mayMove, end) {
  let drag = null;

  const place = () => drag.y - list.getBoundingClientRect().top;

  function begin(event) {
    const row = event.target.closest('li');
    if (event.button !== 0 || !row || !mayMove(row)) return;
    const isBlank = event.pointerType === 'mouse' && !event.target.closest('input, button, textarea, .name');
    if (!isBlank && !event.target.closest('.handle')) return;
    drag = { row, id: event.pointerId, y: event.clientY, next: row.nextElementSibling };
    drag.start = place();
    drag.grip = drag.start - row.offsetTop;
  }

  function lift() {
    drag.lifted = true;
    drag.row.classList.add('dragging');
    list.classList.add('sorting');
    list.setPointerCapture(drag.id);
    getSelection().removeAllRanges();
    scrollAlong();
  }

  function put() {
    const { row, grip } = drag;
    const top = place() - grip;
    const bottom = top + row.offsetHeight;
    while (row.previousElementSibling && top < middle(row.previousElementSibling))
      list.insertBefore(row, row.previousElementSibling);
    while (row.nextElementSibling && bottom > middle(row.nextElementSibling))
      list.insertBefore(row.nextElementSibling, row);
    row.style.translate = `0 ${top - row.offsetTop}px`;
  }

  // As long as the row is held near the window's edge; the deeper, the faster.
  function scrollAlong() {
    if (!drag?.lifted) return;
    const above = Math.min(0, drag.y - EDGE);
    const below = Math.max(0, drag.y - innerHeight + EDGE);
    if (above || below) scrollBy({ top: (above + below) / 6, behavior: 'instant' });
    requestAnimationFrame(scrollAlong);
  }

  function follow(event) {
    if (!drag || event.pointerId !== drag.id) return;
    drag.y = event.clientY;
    if (!drag.lifted && Math.abs(place() - drag.start) < THRESHOLD) return;
    if (!drag.lifted) lift();
    put();
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
  addEventListener('scroll', () => drag?.lifted && put());
  addEventListener('pointerup', () => letGo(true));
  addEventListener('pointercancel', () => letGo(false));
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape') letGo(false);
  });
}
