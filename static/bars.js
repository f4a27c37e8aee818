// The two bars over the page's bottom edge: a message about what went wrong, and an offer, which
// is what was just done and how to undo it. They move nothing.

import { words } from './words.js';

const OFFERED = 8000; // milliseconds that an offer stays, unless it is pointed at or has the focus
const ROOM = 30; // rem of a window's height

const find = (selector) => document.querySelector(selector);
const root = document.documentElement;
const footer = find('.footer');
const bars = find('.bars');
const message = find('.message');
const offered = find('.offer');
let offer = null; // { text, label, run }
let expiring;
let cameFrom = null; // what had the focus before a bar

// Titles may be of any direction: what is quoted is kept apart from what is around it.
function isolate(text) {
  return text.split(/(“[^”]*”)/).map((part, index) => {
    if (index % 2 === 0) return part;
    return Object.assign(document.createElement('bdi'), { textContent: part });
  });
}

function makeButton({ label, name, href, run }) {
  const button = document.createElement(href ? 'a' : 'button');
  Object.assign(button, { className: name, textContent: label, onclick: run ?? null });
  if (href) Object.assign(button, { href, target: '_blank' });
  else button.type = 'button';
  return button;
}

function giveFocusBack() {
  const target = cameFrom?.isConnected && cameFrom.checkVisibility?.() !== false ? cameFrom : find('.todoapp');
  cameFrom = null;
  target.focus({ preventScroll: true });
}

// Buttons that are there already keep the focus.
function drawBar(bar, text, buttons) {
  const shown = bar.firstElementChild;
  if (shown.textContent !== text) shown.replaceChildren(...isolate(text)); // else it would be spoken again
  const box = bar.lastElementChild;
  const key = buttons.map(({ label }) => label).join();
  const hadFocus = box.contains(document.activeElement);
  if (box.dataset.key === key) {
    buttons.forEach(({ run }, index) => (box.children[index].onclick = run ?? null));
  } else {
    box.dataset.key = key;
    box.replaceChildren(...buttons.map(makeButton));
  }
  bar.classList.toggle('shown', text !== '');
  if (hadFocus && !box.contains(document.activeElement)) giveFocusBack();
}

// `problem`: { text, buttons: [{ label, name, href or run }] }; text '' for none.
export function draw(problem) {
  drawBar(message, problem.text, problem.text ? problem.buttons : []);
  const { text = '', label, name, run } = offer ?? {};
  drawBar(offered, text, run ? [{ label, name, run: () => accept(run) }] : []);
}

/* ---- offers ---- */

let redraw = () => {};
let undo = null; // of the last that can be undone, whether or not its offer is still to be seen

function accept(run) {
  if (run === undo) undo = null;
  offer = null;
  run();
  redraw();
}

function expire() {
  expiring = setTimeout(() => {
    if (offered.matches(':hover, :focus-within')) return expire();
    offer = null;
    redraw();
  }, OFFERED);
}

function make(text, name, run) {
  clearTimeout(expiring);
  offer = { text, label: words[name], name, run };
  find('.spoken').textContent = text;
  expire();
  redraw();
}

export function offerUndo(text, run) {
  undo = run;
  make(text, 'undo', run);
}

// `run` null: there is nothing to press.
export const offerToShow = (text, run) => make(text, 'show', run);

// By keyboard.
export function undoLast() {
  if (undo) accept(undo);
}

/* ---- place, and start ---- */

let isRoomy = false;

// Field and footer stay in sight where there is room beside them, by the size that text has.
function fit() {
  isRoomy = innerHeight >= ROOM * parseFloat(getComputedStyle(root).fontSize);
  root.classList.toggle('roomy', isRoomy);
  root.style.setProperty('--foot', `${isRoomy ? footer.offsetHeight : 0}px`);
}

// The bars stand at the window's edge, or on a phone's keyboard, which lies over it; but on a footer
// that stays in sight, if they would cover it.
function place() {
  const { scale, height, offsetTop } = visualViewport;
  const edge = scale > 1 ? innerHeight : offsetTop + height;
  const { top, bottom } = footer.getBoundingClientRect();
  const isInTheWay = isRoomy && bottom > edge - bars.offsetHeight && top < edge;
  bars.style.bottom = `${innerHeight - (isInTheWay ? top : edge)}px`;
}

export function start(onChange) {
  redraw = onChange;
  const observer = new ResizeObserver(() => {
    fit();
    place();
  });
  for (const part of [root, find('.entry'), find('.main'), footer, bars]) observer.observe(part);
  for (const target of [window, visualViewport])
    for (const type of ['resize', 'scroll']) target.addEventListener(type, place);
  bars.addEventListener('focusin', (event) => {
    if (event.relatedTarget && !bars.contains(event.relatedTarget)) cameFrom = event.relatedTarget;
  });
  message.classList.remove('unstarted');
}
