// The rows of the list: drawing them, and what is done to them by hand and by keyboard.

import { words } from './words.js';
import { makeSortable } from './drag.js';

const list = document.querySelector('.todo-list');
const rows = new Map(); // todo -> its li
const CONTROLS = ['handle', 'toggle', 'name', 'destroy'];
const ARRIVAL = { opacity: [0, 1], translate: ['0 -0.375rem', '0 0'] };
const stillness = matchMedia('(prefers-reduced-motion: reduce)');
let actions;
let pressedBy; // what kind of pointer: older browsers don't say it with a click
let drawing = false; // what loses its focus by that is not left by the user

function make(tag, className, properties) {
  return Object.assign(document.createElement(tag), { className, ...properties });
}

function makeRow(todo) {
  const row = document.createElement('li');
  const title = make('label', 'title', { tabIndex: -1 });
  const name = make('span', 'name', { tabIndex: 0, role: 'button' });
  const view = make('div', 'view');
  name.dataset.untitled = words.untitled;
  title.append(name);
  view.append(
    make('button', 'handle', { type: 'button' }),
    make('input', 'toggle', { type: 'checkbox' }),
    title,
    make('button', 'destroy', { type: 'button' }),
  );
  row.tabIndex = -1;
  row.append(view, make('input', 'edit', { autocomplete: 'off', enterKeyHint: 'done' }));
  row.todo = todo;
  rows.set(todo, row);
  if (!stillness.matches) row.animate(ARRIVAL, { duration: 180, easing: 'ease-out' });
  return row;
}

const part = (row, className) => row.querySelector(`.${className}`);

function drawTitle(row, title) {
  row.shownTitle = title;
  part(row, 'name').textContent = title;
  part(row, 'handle').ariaLabel = words.move(title || words.untitled);
  part(row, 'toggle').ariaLabel = words.toggle(title || words.untitled);
  part(row, 'name').ariaLabel = words.edit(title || words.untitled);
  part(row, 'destroy').ariaLabel = words.destroy(title || words.untitled);
  part(row, 'edit').ariaLabel = words.edit(title || words.untitled);
}

function drawCompleted(row, completed) {
  row.shownCompleted = completed;
  row.classList.toggle('completed', completed);
  part(row, 'toggle').checked = completed;
}

// Touches only what is not shown already: there may be hundreds of rows.
function drawRow(row, { title, completed }) {
  if (row.shownTitle !== title) drawTitle(row, title);
  if (row.shownCompleted !== completed) drawCompleted(row, completed);
}

const isEditing = (row) => row.classList.contains('editing');

/* ---- focus ---- */

function rememberFocus() {
  const element = document.activeElement;
  const row = element?.closest('.todo-list > li');
  if (!row) return null;
  return { element, row, index: [...list.children].indexOf(row) };
}

// To the same control, of the same row or of the one that took its place.
function restoreFocus({ element, row, index }) {
  if (document.activeElement === element) return;
  if (row.isConnected) {
    element.focus({ preventScroll: true });
    return;
  }
  const control = CONTROLS.find((name) => element.classList.contains(name)) ?? 'name';
  const neighbour = list.children[Math.min(index, list.children.length - 1)];
  if (neighbour) part(neighbour, control).focus({ preventScroll: true });
  else actions.leave();
}

/* ---- drawing ---- */

// Moves only the rows that stand wrong.
function arrange(wanted) {
  const kept = new Set(wanted);
  for (const row of [...list.children]) {
    if (kept.has(row)) continue;
    row.remove();
    rows.delete(row.todo);
  }
  let place = list.firstElementChild;
  for (const row of wanted) {
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
  }
}

export function draw(items) {
  const focus = rememberFocus();
  drawing = true;
  const wanted = items.map((item) => {
    const row = rows.get(item.todo) ?? makeRow(item.todo);
    drawRow(row, item);
    return row;
  });
  arrange(wanted);
  if (focus) restoreFocus(focus);
  drawing = false;
  for (const row of list.children) if (row.todo.editing && !isEditing(row)) openUnsaved(row);
}

/* ---- editing ---- */

function open(row, text) {
  const edit = part(row, 'edit');
  row.style.minHeight = `${row.offsetHeight}px`; // the rows below stay where they are
  row.classList.add('editing');
  row.todo.editing = true;
  edit.value = text.replace(/[\r\n]+/g, ' '); // it has one line
  row.openedWith = edit.value.trim();
}

function edit(row) {
  if (isEditing(row)) return;
  open(row, row.shownTitle);
  const field = part(row, 'edit');
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

function close(row) {
  row.classList.remove('editing');
  row.style.minHeight = '';
  row.todo.editing = false;
}

// What was not changed is not sent: it would undo what others did meanwhile.
function save(row) {
  const title = part(row, 'edit').value.trim();
  close(row);
  if (title === row.openedWith || title === row.shownTitle) actions.redraw();
  else if (title === '') actions.remove(row.todo);
  else actions.rename(row.todo, title);
}

function cancel(row) {
  close(row);
  actions.redraw();
}

// Opens a todo again with a text that could not be saved, if it is still there: when it is drawn,
// since a filter may hide it by now.
export function reopen(todo, text) {
  const row = rows.get(todo);
  if (row && isEditing(row)) {
    if (row.openedWith === text) row.openedWith = null;
    return;
  }
  todo.editing = true;
  todo.unsaved = text;
  actions.redraw();
}

// The server never had that text, so it is saved even if it is left as it is.
function openUnsaved(row) {
  const active = document.activeElement;
  open(row, row.todo.unsaved);
  row.openedWith = null;
  if (active === document.body || row.contains(active)) part(row, 'edit').focus();
}

export function saveAll() {
  for (const row of [...list.children].filter(isEditing)) save(row);
}

/* ---- events ---- */

const rowOf = (event) => event.target.closest('.todo-list > li');
const isPart = (event, className) => event.target.classList.contains(className);
const isTitle = (event) => event.target.closest('.title') !== null;

// Whether the key belongs to an input method. Safari says so only by the old code 229.
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

function editByKey(event, row) {
  if (isComposing(event)) return;
  if (event.key === 'Enter') {
    save(row);
    part(row, 'name').focus();
  } else if (event.key === 'Escape') {
    cancel(row);
    part(row, 'name').focus();
  } else {
    return;
  }
  event.preventDefault();
}

function moveByKey(event, row) {
  const steps = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!steps || !(event.altKey || isPart(event, 'handle'))) return;
  event.preventDefault();
  const all = [...list.children];
  const index = all.indexOf(row);
  const place = index + steps;
  if (place < 0 || place >= all.length) return;
  const before = all[steps < 0 ? place : place + 1];
  actions.move(row.todo, before?.todo, all[place].todo, place);
}

function onKey(event) {
  const row = rowOf(event);
  if (!row) return;
  if (isPart(event, 'edit')) {
    editByKey(event, row);
    return;
  }
  const isButton = isPart(event, 'destroy') || isPart(event, 'handle');
  if (event.key === 'F2' || (event.key === 'Enter' && !isButton)) {
    event.preventDefault();
    edit(row);
  } else if (event.key === 'Delete') {
    event.preventDefault();
    actions.remove(row.todo);
  } else if (event.key === ' ' && isTitle(event)) {
    event.preventDefault();
    edit(row);
  } else {
    moveByKey(event, row);
  }
}

// A mouse edits by a double click; a finger, a screen reader or a voice by one click of the title.
function onClick(event) {
  const pointer = event.pointerType ?? pressedBy;
  pressedBy = undefined;
  const row = rowOf(event);
  if (!row) return;
  if (isPart(event, 'destroy')) actions.remove(row.todo);
  else if (isTitle(event) && pointer !== 'mouse') edit(row);
}

function endSorting(row, moved) {
  const before = row.nextElementSibling?.todo;
  const after = row.previousElementSibling?.todo;
  if (moved) actions.move(row.todo, before, after, [...list.children].indexOf(row));
}

// `given`: what the rows ask for (rename, remove, toggle, move, redraw, leave).
export function start(given) {
  actions = given;
  list.addEventListener('keydown', onKey);
  list.addEventListener('pointerdown', (event) => {
    pressedBy = event.pointerType;
  });
  list.addEventListener('click', onClick);
  list.addEventListener('dblclick', (event) => {
    const row = rowOf(event);
    if (row && isTitle(event)) edit(row);
  });
  list.addEventListener('change', (event) => {
    if (!isPart(event, 'toggle')) return;
    const row = rowOf(event);
    row.shownCompleted = null; // by the browser alone, until it is drawn
    actions.toggle(row.todo, event.target.checked);
  });
  list.addEventListener(
    'blur',
    (event) => {
      const row = rowOf(event);
      if (!drawing && isPart(event, 'edit') && row && isEditing(row)) save(row);
    },
    true,
  );
  makeSortable(list, (row) => !isEditing(row), endSorting);
}
