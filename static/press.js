// When the page is drawn again: once for all changes of one moment, and not while something is
// pressed (if it moved away from under the pointer, no click would come of it). And held keys.

const CLICK_COMES = 50; // milliseconds after a finger was lifted, at most
const PAUSE = 30; // milliseconds between two drawings

let draw;
let isDue = false;
let isPressed = false;
let releasing;
let timer = null;
let drawn = -Infinity;

function drawDue() {
  timer = null;
  if (!isDue || isPressed) return;
  isDue = false;
  draw();
  drawn = performance.now();
}

export function redraw() {
  isDue = true;
  if (timer !== null) return;
  timer = 0;
  const rest = drawn + PAUSE - performance.now();
  if (rest > 0) setTimeout(drawDue, rest);
  else queueMicrotask(drawDue);
}

function press(event) {
  clearTimeout(releasing);
  isPressed = event.button === 0;
}

function releaseIn(milliseconds) {
  clearTimeout(releasing);
  releasing = setTimeout(() => {
    isPressed = false;
    drawDue();
  }, milliseconds);
}

// A key that is held does its work once, or it would delete row after row: all but arrows, and
// what is typed where the key was pressed.
const ONCE = ['Enter', 'F2', 'Delete', ' '];
let pressedIn = null;

function holdKey(event) {
  if (!event.repeat) pressedIn = event.target;
  const isTyped =
    event.key !== 'Enter' && event.target === pressedIn && event.target.matches('.new-todo, .edit, .find');
  if (!event.repeat || !ONCE.includes(event.key) || isTyped) return;
  event.preventDefault();
  event.stopPropagation();
}

// `drawAll` draws the page. What a key did to a row is shown before the next key comes, however soon:
// that one works on the rows as they stand, and on the one with the focus.
export function start(drawAll) {
  draw = drawAll;
  addEventListener('keydown', drawDue);
  addEventListener('pointerdown', press);
  addEventListener('click', () => releaseIn(0));
  for (const type of ['pointerup', 'pointercancel', 'contextmenu', 'blur'])
    addEventListener(type, () => releaseIn(CLICK_COMES)); // if one comes
  document.querySelector('.todoapp').addEventListener('keydown', holdKey, true);
}
