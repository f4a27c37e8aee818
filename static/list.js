// The rows of the list: drawing them, and what is done to them by hand and by keyboard.

import * as editor from './editor.js';
import { besides, drawRow, isEditing, makeRow, part, stopAt, stopOf } from './row.js';
import { makeSortable } from './drag.js';

const list = document.querySelector('.todo-list');
const rows = new WeakMap(); // todo -> its li, also while a filter hides it
const CONTROLS = ['toggle', 'name', 'pen', 'handle', 'destroy'];
const ARRIVAL = { opacity: [0, 1], translate: ['0 -0.375rem', '0 0'] };
const FEW = 20; // rows that come one can follow
const stillness = matchMedia('(prefers-reduced-motion: reduce)');
let actions;
let pressedBy; // what kind of pointer: older browsers don't say it with a click
let isDrawing = false; // what loses its focus by that is not left by the user
let isFirst = true;

/* ---- focus ---- */

function focusOn(row, control) {
  stopAt(row, control);
  control.focus({ preventScroll: true });
  control.scrollIntoView({ block: 'nearest' });
}

function rememberFocus() {
  const element = document.activeElement;
  const row = element?.closest('.todo-list > li');
  if (!row) return null;
  return { element, row, index: [...list.children].indexOf(row) };
}

const alike = (row, element) => {
  const name = CONTROLS.find((candidate) => element.classList.contains(candidate));
  const control = name && part(row, name);
  return control && !control.hidden && (name !== 'name' || control.role) ? control : stopOf(row);
};

// To the same control, of the same row or of the one that took its place.
function restoreFocus({ element, row, index }) {
  if (document.activeElement === element) return;
  if (row.isConnected) {
    (element.isConnected ? element : stopOf(row)).focus({ preventScroll: true });
    return;
  }
  const neighbour = list.children[Math.min(index, list.children.length - 1)];
  if (neighbour) focusOn(neighbour, alike(neighbour, element));
  else actions.leave();
}

/* ---- drawing ---- */

function rowFor(todo, come) {
  if (!rows.has(todo)) {
    rows.set(todo, makeRow(todo));
    come.push(rows.get(todo));
  }
  return rows.get(todo);
}

function animate(come) {
  if (come.length > FEW || stillness.matches) return;
  for (const row of come) row.animate(ARRIVAL, { duration: 180, easing: 'ease-out' });
}

// Moves only the rows that stand wrong.
function arrange(wanted) {
  const kept = new Set(wanted);
  for (const row of [...list.children]) if (!kept.has(row)) row.remove();
  if (list.children.length === 0) {
    list.append(...wanted);
    return;
  }
  let place = list.firstElementChild;
  for (const row of wanted) {
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
  }
}

// `isAway`: what waits for the server is marked.
export function draw(items, isAway) {
  const focus = rememberFocus();
  const come = [];
  isDrawing = true;
  arrange(items.map((item) => {
    const row = rowFor(item.todo, come);
    drawRow(row, item, isAway && item.waits);
    return row;
  }));
  if (focus) restoreFocus(focus);
  isDrawing = false;
  if (!isFirst) animate(come);
  isFirst &&= items.length === 0;
  for (const { todo } of items) if (todo.editing && !isEditing(rows.get(todo))) editor.openUnsaved(rows.get(todo));
}

// Opens a todo again with a text that could not be saved, if it is still there: when it is drawn,
// since a filter may hide it by now.
export function reopen(todo, text, from) {
  const row = rows.get(todo);
  if (row?.isConnected && isEditing(row)) {
    if (row.openedWith === text) row.openedWith = null;
    todo.from = from;
    return;
  }
  todo.editing = true;
  todo.unsaved = text;
  actions.redraw();
}

export function show(todo) {
  const row = rows.get(todo);
  row?.scrollIntoView({ block: 'nearest' });
  return row?.isConnected ?? false;
}

export const hasUnsaved = () => [...list.querySelectorAll(':scope > .editing')].some(editor.isUnsaved);

export function focusFirst() {
  const row = list.firstElementChild;
  if (row) focusOn(row, stopOf(row));
}

// The todos whose titles are selected, wholly or in part.
export const selected = (selection) =>
  [...list.children].filter((row) => selection.containsNode(part(row, 'name'), true)).map((row) => row.todo);

/* ---- events ---- */

const rowOf = (event) => event.target.closest('.todo-list > li');
const isPart = (event, className) => event.target.classList.contains(className);
const isTitle = (event) => event.target.closest('.title') !== null && !isPart(event, 'link');

// Whether the key belongs to an input method. Safari says so only by the old code 229.
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

function editByKey(event, row) {
  if (isComposing(event)) return;
  if (event.key === 'Enter' && !event.shiftKey) editor.save(row);
  else if (event.key === 'Escape') editor.cancel(row);
  else return;
  event.preventDefault();
  const name = alike(row, part(row, 'name'));
  stopAt(row, name);
  name.focus({ preventScroll: true });
}

function moveByKey(event, row, steps) {
  const all = [...list.children];
  const index = all.indexOf(row);
  const place = index + steps;
  if (place < 0 || place >= all.length) return;
  const before = all[steps < 0 ? place : place + 1];
  actions.move(row.todo, before?.todo, all[place].todo, place);
}

function goByKey(event, row, steps) {
  const neighbour = steps < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (neighbour) focusOn(neighbour, alike(neighbour, event.target));
  else if (steps < 0) actions.goUp();
}

function goWithin(event, row, steps) {
  const control = besides(row, event.target, getComputedStyle(list).direction === 'rtl' ? -steps : steps);
  if (control) focusOn(row, control);
}

function onArrow(event, row) {
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const steps = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if ((!steps && !sideways) || event.ctrlKey || event.metaKey || (sideways && event.altKey)) return;
  event.preventDefault();
  if (sideways) goWithin(event, row, sideways);
  else if (event.altKey || isPart(event, 'handle')) moveByKey(event, row, steps);
  else goByKey(event, row, steps);
}

function onKey(event) {
  const row = rowOf(event);
  if (!row) return;
  if (isPart(event, 'edit')) {
    editByKey(event, row);
    return;
  }
  const hasOwnEnter = ['destroy', 'handle', 'pen', 'link'].some((name) => isPart(event, name));
  const edits = event.key === 'F2' || (event.key === 'Enter' && !hasOwnEnter) || (event.key === ' ' && isTitle(event));
  if (edits) {
    event.preventDefault();
    editor.edit(row);
  } else if (event.key === 'Delete') {
    event.preventDefault();
    actions.remove(row.todo);
  } else {
    onArrow(event, row);
  }
}

// A mouse edits by a double click; a finger, a screen reader or a voice by one click of the title.
function onClick(event) {
  const pointer = event.pointerType ?? pressedBy;
  pressedBy = undefined;
  const row = rowOf(event);
  if (!row) return;
  if (isPart(event, 'destroy')) actions.remove(row.todo);
  else if (isPart(event, 'pen') || (isTitle(event) && pointer !== 'mouse')) editor.edit(row);
}

function onBlur(event) {
  const row = rowOf(event);
  if (!isDrawing && isPart(event, 'edit') && row && isEditing(row)) editor.save(row);
}

function onToggle(event) {
  if (!isPart(event, 'toggle')) return;
  const row = rowOf(event);
  row.shownCompleted = null; // by the browser alone, until it is drawn
  actions.toggle(row.todo, event.target.checked);
}

function endSorting(row, moved) {
  const before = row.nextElementSibling?.todo;
  const after = row.previousElementSibling?.todo;
  if (moved) actions.move(row.todo, before, after, [...list.children].indexOf(row));
}

// `given`: what the rows ask for (toggle, rename, remove, move, redraw, leave, goUp).
export function start(given) {
  actions = given;
  editor.start(given);
  list.addEventListener('keydown', onKey);
  list.addEventListener('pointerdown', (event) => {
    pressedBy = event.pointerType;
  });
  list.addEventListener('click', onClick);
  list.addEventListener('dblclick', (event) => {
    const row = rowOf(event);
    if (row && isTitle(event)) editor.edit(row);
  });
  list.addEventListener('change', onToggle);
  list.addEventListener('input', (event) => isPart(event, 'edit') && editor.grow(event.target));
  list.addEventListener('blur', onBlur, true);
  list.addEventListener('focusin', (event) => {
    const row = rowOf(event);
    if (row && besides(row, event.target, 0)) stopAt(row, event.target);
  });
  makeSortable(list, (row) => !isEditing(row), endSorting);
}
