// The page: what the user does becomes changes of todos.js, and those become what is shown.

import * as bars from './bars.js';
import { showCount } from './editor.js';
import * as keys from './keys.js';
import * as lines from './lines.js';
import * as list from './list.js';
import * as live from './live.js';
import * as outbox from './outbox.js';
import * as press from './press.js';
import * as todos from './todos.js';
import { Failure } from './server.js';
import { localize, shorten, translate, words } from './words.js';

const POLL = 60000; // milliseconds between looks at the list while the page is seen: for lost news
const POLL_WHEN_AWAY = 2000; // or the server makes no sense
const FIND_FROM = 30; // todos
const NEW = 8000; // milliseconds that a failure is news, whatever the user does meanwhile

const { redraw } = press;
const find = (selector) => document.querySelector(selector);
const field = find('.new-todo');
const finder = find('.find');
const touch = matchMedia('(hover: none)');

/* ---- what went wrong ---- */

let refusals = []; // { name, title, failure, retry, at, todo (null: none yet) } of what the user did
const conflicts = []; // { todo, mine, theirs }: titles that others have changed meanwhile
let unread = null; // why the list could not be read
const held = []; // titles that were refused while something else was in the field

function explain(failure) {
  if (failure.isNonsense) return words.nonsense;
  if (failure.isAway) return (failure.status && localize(failure.message)) || words.away;
  if (failure.status === 404) return words.gone;
  return words.refused(failure.status, localize(failure.message));
}

function tellRefusals() {
  const groups = new Map(); // { name, reason } as text -> titles
  for (const { name, title, failure } of refusals) {
    const key = JSON.stringify([name, explain(failure)]);
    groups.set(key, [...(groups.get(key) ?? []), title]);
  }
  return [...groups].map(([key, titles]) => {
    const [name, reason] = JSON.parse(key);
    return `${words[name](words.quoted(titles))} ${reason}`;
  });
}

function currentProblem() {
  const reason = outbox.reason() ?? unread;
  const count = outbox.all().length;
  const parts = tellRefusals();
  const buttons = [];
  const button = (name, more) => buttons.push({ name, label: words[name], ...more });
  if (conflicts.length > 0) {
    const [{ mine, theirs }] = conflicts;
    parts.push(words.conflict(theirs || words.untitled, mine));
    button('theirs', { run: settle });
    button('mine', { run: () => settle(rename) });
  }
  if (outbox.reason()) parts.push(explain(reason), words.waiting(count));
  else if (unread) parts.push(words.notLoaded, explain(reason));
  if (outbox.reason()?.isNonsense) button('discard', { run: discard });
  if (reason?.isNonsense) button('elsewhere', { href: '/' });
  if (reason || refusals.some(({ retry }) => retry)) button('retry', { run: retry });
  return { text: parts.join(' '), buttons };
}

// The first conflict is over; with `rename`, in favour of what the user wrote.
function settle(write) {
  const { todo, mine, theirs } = conflicts.shift();
  if (write === rename) rename(todo, mine, theirs);
  redraw();
}

function discard() {
  if (!confirm(words.surelyDiscard(outbox.all().length))) return;
  outbox.discard();
  reread();
}

function retry() {
  const failed = refusals;
  refusals = [];
  for (const { retry: again } of failed) again?.();
  outbox.retry();
  reread();
}

function giveBack(title) {
  field.value = title;
  countField();
}

const nameOf = ({ method, changes: [{ body }] }) =>
  ({ POST: 'notAdded', DELETE: 'notDeleted' })[method] ?? ('title' in body ? 'notSaved' : 'notChanged');

// What is not added goes back to the field, an edit opens again. Of one that was deleted meanwhile,
// nothing but the message has the words.
function onRefused(change, failure) {
  const name = nameOf(change);
  const isGone = failure.status === 404;
  if (failure.current) {
    conflicts.push({ todo: change.todos[0], mine: change.changes[0].body.title, theirs: failure.current.title ?? '' });
    redraw();
    return;
  }
  change.changes.forEach(({ body, from }, index) => {
    const todo = change.todos[index];
    let title = body?.title ?? change.titles[index];
    let again = null;
    if (name === 'notAdded') {
      if (field.value === '') giveBack(title);
      else held.push(title);
    } else if (name === 'notSaved') {
      if (!isGone && todo) list.reopen(todo, title, from);
    } else if (failure.status >= 500) {
      again = name === 'notDeleted' ? () => todos.remove([todo]) : () => todos.change([[todo, body]]);
    }
    if (!held.includes(title) && !isGone) title = shorten(title);
    refusals.push({
      name, title: title || words.untitled, failure, retry: again, at: performance.now(),
      todo: name === 'notAdded' ? null : todo,
    });
  });
  redraw();
}

// The user goes on: what was refused before is known by now, unless it is news of another todo.
function goOn(tried = []) {
  const isNew = ({ at, todo }) => performance.now() - at < NEW && !tried.includes(todo);
  refusals = refusals.filter((refusal) => held.includes(refusal.title) || isNew(refusal));
}

function onAcknowledged() {
  if (held.length === 0 || field.value !== '') return;
  giveBack(held.shift());
  goOn([null]);
}

/* ---- what the user does ---- */

let comes = null; // an added todo that has not been shown yet

const itemOf = (todo) => todos.all().find((item) => item.todo === todo);
const named = (item) => shorten(item?.title || words.untitled);

function show(added) {
  comes = added.at(-1);
  redraw();
  return added;
}

function add(items) {
  goOn([null]);
  return show(todos.add(items));
}

function addFromField() {
  const title = field.value.trim();
  if (title === '') return;
  field.value = '';
  countField();
  find('.spoken').textContent = words.added(shorten(title));
  add([{ title }]);
}

function addLines(event) {
  const text = event.clipboardData.getData('text/plain');
  const items = lines.parse(text);
  if (items.length < 2) return;
  event.preventDefault();
  const long = items.find(({ title }) => lines.isTooLong(title));
  if (long) {
    bars.offerToShow(words.tooLong(shorten(long.title), lines.MOST), null);
    return;
  }
  const added = add(items);
  bars.offerUndo(words.addedMany(added.length), () => todos.remove(added));
}

function change(changes) {
  goOn(changes.map(([todo]) => todo));
  todos.change(changes);
}

const toggle = (todo, completed) => change([[todo, { completed }]]);

function rename(todo, title, from) {
  goOn([todo]);
  todos.rename(todo, title, from);
}

function toggleAll(completed) {
  const changing = todos.all().filter((item) => item.completed !== completed).map(({ todo }) => todo);
  const mark = (value) => change(changing.map((todo) => [todo, { completed: value }]));
  mark(completed);
  bars.offerUndo(words.marked(changing.length, completed), () => mark(!completed));
}

// Back to where they were, those that are gone.
function restore(items, before) {
  goOn();
  show(todos.addAgain(items.filter(({ todo }) => !itemOf(todo)), before));
}

function removeItems(items) {
  goOn(items.map(({ todo }) => todo));
  const before = todos.all();
  todos.remove(items.map(({ todo }) => todo));
  const text = items.length === 1 ? words.deleted(named(items[0])) : words.deletedMany(items.length);
  bars.offerUndo(text, () => restore(items, before));
}

function remove(todo) {
  const item = itemOf(todo);
  if (item) removeItems([item]);
}

function clearCompleted() {
  removeItems(todos.all().filter((item) => item.completed));
  leave();
}

function move(todo, before, after, place) {
  goOn();
  todos.move(todo, before, after);
  find('.spoken').textContent = words.moved(named(itemOf(todo)), place + 1, shown().length);
  redraw();
}

// On a phone, the field would bring up the keyboard.
function leave() {
  (touch.matches ? find('.todoapp') : field).focus({ preventScroll: true });
}

const hasUnsaved = () => outbox.all().length > 0 || field.value.trim() !== '' || list.hasUnsaved();

/* ---- what is shown ---- */

const filters = {
  '#/': () => true,
  '#/active': (item) => !item.completed,
  '#/completed': (item) => item.completed,
};

const route = () => (location.hash in filters ? location.hash : '#/');

function shown() {
  const sought = finder.value.trim().toLocaleLowerCase();
  const isShown = (item) => filters[route()](item) && item.title.toLocaleLowerCase().includes(sought);
  return todos.all().filter((item) => item.todo.editing || isShown(item));
}

function emptyWords(count) {
  if (count === 0) return words.nothing;
  if (finder.value.trim() !== '') return words.noneFound;
  return route() === '#/active' ? words.allDone(count) : words.noneDone;
}

function drawFooter(items) {
  const left = items.filter((item) => !item.completed).length;
  const number = document.createElement('strong');
  number.textContent = left;
  find('.todo-count').replaceChildren(
    ...words.left(left).map((word) => (word === left ? number : word)),
  );
  document.title = left > 0 ? `(${left}) ${words.title}` : words.title;
  find('.clear-completed').hidden = left === items.length;
  find('.toggle-all').checked = items.length > 0 && left === 0;
  for (const link of document.querySelectorAll('.filters a')) {
    const isSelected = link.hash === route();
    link.classList.toggle('selected', isSelected);
    if (isSelected) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}

// A new todo comes into view; where a filter hides it, that is said.
function bringIntoView() {
  const todo = comes;
  comes = null;
  if (!todo || list.show(todo)) return;
  const item = itemOf(todo);
  if (item) bars.offerToShow(words.added(named(item)), showAll);
}

function showAll() {
  finder.value = '';
  location.hash = '#/';
}

function draw() {
  const items = todos.all();
  const seen = shown();
  const isReady = todos.hasLoaded() || items.length > 0;
  find('.todoapp').ariaBusy = String(!isReady);
  find('.loading').hidden = isReady;
  find('.main').hidden = items.length === 0;
  find('.footer').hidden = items.length === 0;
  finder.hidden = items.length < FIND_FROM && finder.value === '';
  find('.nothing').hidden = !isReady || seen.length > 0;
  find('.nothing').textContent = emptyWords(items.length);
  list.draw(seen, outbox.reason() !== null);
  drawFooter(items);
  bringIntoView();
  bars.draw(currentProblem());
}

function sayShown() {
  redraw();
  find('.spoken').textContent = words.shows(shown().length);
}

const countField = () => showCount(field);

/* ---- keeping up with the server ---- */

async function reread() {
  try {
    await todos.refresh();
    unread = null;
    if (outbox.reason()) outbox.retry();
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    unread = failure;
    keepUpIn(POLL_WHEN_AWAY);
  }
  redraw();
}

async function keepUp() {
  keepUpIn(unread || outbox.reason() ? POLL_WHEN_AWAY : POLL);
  if (!document.hidden) await reread();
}

let timer;
function keepUpIn(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(keepUp, milliseconds);
}

// Every change of what is shown; the first that fails makes the page look more often.
let wasAway = false;
function onChanged() {
  const isAway = outbox.reason() !== null;
  if (isAway && !wasAway) keepUpIn(POLL_WHEN_AWAY);
  wasAway = isAway;
  redraw();
}

// Keeps the page for when there is no network; where the browser lets it, and that is https alone.
async function keepPage() {
  if (!todos.hasLoaded()) return;
  try {
    await navigator.serviceWorker?.register('/static/sw.js', { scope: '/' });
  } catch {
    // then it opens with a network only
  }
}

/* ---- keys, and what is pasted and copied ---- */

function onFieldKey(event) {
  if (list.isComposing(event)) return;
  if (event.key === 'Enter') addFromField();
  else if (event.key === 'ArrowDown') list.focusFirst();
}

function onFinderKey(event) {
  if (event.key === 'ArrowDown') list.focusFirst();
  if (event.key !== 'Escape' || finder.value === '') return;
  event.preventDefault();
  finder.value = '';
  sayShown();
}

function copyTodos(event) {
  if (event.target.matches?.('input, textarea')) return;
  const picked = new Set(list.selected(getSelection()));
  if (picked.size < 2) return;
  event.clipboardData.setData('text/plain', lines.format(shown().filter(({ todo }) => picked.has(todo))));
  event.preventDefault();
}

/* ---- start ---- */

translate();
press.start(draw);
bars.start(redraw);
keys.start({
  n: () => field.focus(),
  '/': () => !finder.hidden && finder.focus(),
  u: bars.undoLast,
});
list.start({
  toggle, rename, remove, move, redraw, leave,
  goUp: () => (finder.hidden ? field : finder).focus(),
});
field.addEventListener('keydown', onFieldKey);
field.addEventListener('input', countField);
field.addEventListener('paste', addLines);
finder.addEventListener('input', sayShown);
finder.addEventListener('keydown', onFinderKey);
addEventListener('copy', copyTodos);
addEventListener('beforeunload', (event) => hasUnsaved() && event.preventDefault());
find('.toggle-all').addEventListener('change', (event) => toggleAll(event.target.checked));
find('.clear-completed').addEventListener('click', clearCompleted);
find('.keys-button').addEventListener('click', keys.showKeys);
addEventListener('hashchange', sayShown);
addEventListener('focus', reread);
addEventListener('online', reread);
document.addEventListener('visibilitychange', () => document.hidden || reread());
field.focus();
todos.start({ changed: onChanged, acknowledged: onAcknowledged, refused: onRefused });
draw();
keepUp().then(keepPage); // when the list has come
live.start(todos.follow, reread);
keepUpIn(POLL_WHEN_AWAY); // what the page before this one sent last may still be on its way
