// The page: what the user does becomes changes of todos.js, and those become what is shown.

import * as list from './list.js';
import * as todos from './todos.js';
import { Failure, isWaiting } from './server.js';
import { shorten, translate, words } from './words.js';

const POLL = 10000; // milliseconds between looks at the list while the page is seen
const POLL_WHEN_AWAY = 2000; // or makes no sense
const CLICK_COMES = 50; // milliseconds after a finger was lifted, at most

const filters = {
  '#/': () => true,
  '#/active': (item) => !item.completed,
  '#/completed': (item) => item.completed,
};

const find = (selector) => document.querySelector(selector);
const field = find('.new-todo');
const bar = find('.message');

/* ---- messages ---- */

// Titles that could not be added: one is back in the field, and the message holds the others.
const held = [];
let returned = null;
let problem = null; // { text, isPassing, isNonsense, retry, time }

function drawProblem() {
  const titles = field.value === returned ? [...held, returned] : held;
  const parts = titles.map((title) => words.notAdded(shorten(title)));
  const text = problem ? [...parts, problem.text].join(' ').trim() : '';
  const shown = find('.message-text');
  if (shown.textContent !== text) shown.textContent = text; // else it would be spoken again
  bar.classList.toggle('shown', text !== '');
  find('.retry').hidden = !problem?.retry;
  find('.elsewhere').hidden = !problem?.isNonsense;
}

// A phone's keyboard lies over what is fixed to the bottom of the page.
function liftBar() {
  const { scale, height, offsetTop } = visualViewport;
  const covered = scale > 1 ? 0 : innerHeight - height - offsetTop;
  bar.style.bottom = covered > 0 ? `${covered}px` : '';
}

// Selected: who just goes on typing begins another todo.
function giveBack(title) {
  returned = title;
  field.value = title;
  field.select();
}

function holdReturned(event) {
  const isOverwritten =
    event.inputType.startsWith('insert') &&
    field.value === returned &&
    field.selectionEnd - field.selectionStart === returned.length;
  if (!isOverwritten) return;
  held.push(returned);
  returned = null;
}

function explain(failure) {
  if (failure.isNonsense) return words.nonsense;
  if (failure.isAway) return failure.status ? failure.message || words.away : words.away;
  if (failure.status === 404) return words.gone;
  return words.refused(failure.status, failure.message);
}

function report(failure, text, retry) {
  problem = {
    text: `${text} ${explain(failure)}`.trim(),
    isPassing: failure.isAway || retry === reread,
    isNonsense: failure.isNonsense,
    retry: failure.status === 404 || failure.isNonsense ? null : retry,
    time: performance.now(),
  };
  redraw();
  if (problem.isPassing) keepUpIn(POLL_WHEN_AWAY);
}

// A success that began after the failure takes its message away; a reread only the message of
// what passes by itself. Text that the message held goes back to the field as soon as that is free.
function succeed(began, isReread) {
  if (!problem || began < problem.time || (isReread && !problem.isPassing)) return;
  returned = null;
  if (held.length > 0 && field.value === '') giveBack(held.shift());
  if (held.length > 0) problem.text = '';
  else problem = null;
  redraw();
}

// Does it; a failure is told by `tell`, with `retry` behind the button.
async function attempt(run, tell, retry, onFailure) {
  const began = performance.now();
  try {
    await run();
    succeed(began);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    onFailure?.();
    report(failure, tell(failure), retry);
  }
}

// How a message names it.
function nameOf(todo) {
  const item = todos.all().find((candidate) => candidate.todo === todo);
  return shorten(item?.title || words.untitled);
}

/* ---- what the user does ---- */

function add(title) {
  attempt(
    () => todos.add(title),
    () => '',
    () => {
      for (const other of held.splice(0)) add(other);
      addFromField();
    },
    () => {
      if (field.value === '') giveBack(title);
      else held.push(title);
    },
  );
}

function addFromField() {
  const title = field.value.trim();
  if (title === '') return;
  returned = null;
  field.value = '';
  add(title);
}

function toggle(todo, completed) {
  const name = nameOf(todo);
  attempt(
    () => todos.change(todo, { completed }),
    () => words.notChanged(name),
    () => toggle(todo, completed),
  );
}

function toggleAll(completed) {
  const changing = todos.all().filter((item) => item.completed !== completed);
  attempt(
    () => Promise.all(changing.map((item) => todos.change(item.todo, { completed }))),
    () => words.notChanged(words.toggleAll),
    () => toggleAll(completed),
  );
}

function rename(todo, title) {
  attempt(
    () => todos.change(todo, { title }),
    // of one that was deleted meanwhile, nothing but the message has the words
    ({ status }) => words.notSaved(status === 404 ? title : shorten(title)),
    list.saveAll,
    () => list.reopen(todo, title),
  );
}

function remove(todo) {
  const name = nameOf(todo);
  attempt(
    () => todos.remove(todo),
    () => words.notDeleted(name),
    () => remove(todo),
  );
}

function clearCompleted() {
  const completed = todos.all().filter((item) => item.completed);
  field.focus();
  attempt(
    () => Promise.all(completed.map((item) => todos.remove(item.todo))),
    () => words.notDeleted(words.completed),
    clearCompleted,
  );
}

function move(todo, before, after, place) {
  const name = nameOf(todo);
  attempt(
    () => todos.move(todo, before, after),
    () => words.notChanged(name),
    () => move(todo, before, after, place),
  );
  find('.spoken').textContent = words.moved(name, place + 1, shown().length);
}

/* ---- what is shown ---- */

const route = () => (location.hash in filters ? location.hash : '#/');
const shown = () =>
  todos.all().filter((item) => item.todo.editing || filters[route()](item));

function drawFooter(items) {
  const left = items.filter((item) => !item.completed).length;
  const number = document.createElement('strong');
  number.textContent = left;
  find('.todo-count').replaceChildren(
    ...words.left(left).map((word) => (word === left ? number : word)),
  );
  find('.clear-completed').hidden = left === items.length;
  find('.toggle-all').checked = items.length > 0 && left === 0;
  for (const link of document.querySelectorAll('.filters a')) {
    const isSelected = link.hash === route();
    link.classList.toggle('selected', isSelected);
    if (isSelected) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}

function draw() {
  const items = todos.all();
  find('.main').hidden = items.length === 0;
  find('.footer').hidden = items.length === 0;
  list.draw(shown());
  drawFooter(items);
  drawProblem();
}

// Once for all changes of one moment; and not while something is pressed: if it moved away from
// under the pointer, no click would come of it.
let isDue = false;
let isPressed = false;
let releasing;

function drawDue() {
  if (!isDue || isPressed) return;
  isDue = false;
  draw();
}

function redraw() {
  isDue = true;
  queueMicrotask(drawDue);
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

/* ---- keeping up with the server ---- */

async function reread() {
  const began = performance.now();
  try {
    await todos.refresh();
    succeed(began, true);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    if (!problem) report(failure, words.notLoaded, reread);
  }
}

async function keepUp() {
  keepUpIn(problem?.isPassing ? POLL_WHEN_AWAY : POLL);
  if (!document.hidden) await reread();
}

let timer;
function keepUpIn(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(keepUp, milliseconds);
}

/* ---- held keys ---- */

// A key that is held does its work once, or it would delete row after row: all but arrows, and
// what is typed where the key was pressed.
const ONCE = ['Enter', 'F2', 'Delete', ' '];
let pressedIn = null;

function holdKey(event) {
  if (!event.repeat) pressedIn = event.target;
  const isTyped =
    event.key !== 'Enter' && event.target === pressedIn && event.target.matches('.new-todo, .edit');
  if (!event.repeat || !ONCE.includes(event.key) || isTyped) return;
  event.preventDefault();
  event.stopPropagation();
}

/* ---- start ---- */

translate();
todos.onChange(redraw);
list.start({ toggle, rename, remove, move, redraw, leave: () => field.focus() });
find('.todoapp').addEventListener('keydown', holdKey, true);
field.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !list.isComposing(event)) addFromField();
});
field.addEventListener('beforeinput', holdReturned);
addEventListener('beforeunload', (event) => isWaiting() && event.preventDefault());
find('.toggle-all').addEventListener('change', (event) => toggleAll(event.target.checked));
find('.clear-completed').addEventListener('click', clearCompleted);
find('.retry').addEventListener('click', () => problem?.retry());
for (const type of ['resize', 'scroll']) visualViewport.addEventListener(type, liftBar);
addEventListener('pointerdown', press);
addEventListener('click', () => releaseIn(0));
for (const type of ['pointerup', 'pointercancel', 'contextmenu', 'blur'])
  addEventListener(type, () => releaseIn(CLICK_COMES)); // if one comes
addEventListener('hashchange', redraw);
addEventListener('focus', reread);
addEventListener('online', reread);
document.addEventListener('visibilitychange', () => document.hidden || reread());
field.focus();
keepUp();
keepUpIn(POLL_WHEN_AWAY); // what the page before this one sent last may still be on its way
bar.classList.remove('unstarted');
drawProblem();
