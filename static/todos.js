// The todos as the user sees them: what the server has, and on top of it what is on its way
// there. A change shows at once; one that is refused is taken off again.

import * as outbox from './outbox.js';
import * as server from './server.js';
import { compare, orderAfter, orderAtEnd, ordersAfterMove } from './order.js';

const todos = new Map(); // key -> todo
const MANY = 500; // changes that are made at once: some 30 kB
const channel = openChannel();
let nextNumber = Date.now() * 1000; // of todos that the server has not numbered yet: another in each tab
let acknowledged = 0; // changes: a list that was read across one is out of date
let again = false;
let reading = null;
let isLoaded = false;
let lastTaken;
let listener;

// Firefox lets no tab talk to another where cookies are blocked.
function openChannel() {
  try {
    return new BroadcastChannel('todos');
  } catch {
    return { postMessage() {} };
  }
}

const makeTodo = (key, number, saved) => ({ key, number, saved, gone: false, editing: false });

// What is on its way, by todo; null: a deletion.
function changesByKey() {
  const found = new Map();
  for (const { method, changes } of outbox.all())
    for (const { key, body } of changes) {
      const earlier = found.get(key);
      found.set(key, method === 'DELETE' || earlier === null ? null : { ...earlier, ...body });
    }
  return found;
}

function view(todo, change) {
  const { title, completed, order } = { ...todo.saved, ...change };
  return {
    todo,
    key: todo.key,
    number: todo.number,
    title: title ?? '',
    completed: completed ?? false,
    order: order ?? null,
    waits: change !== undefined,
  };
}

// All that are not being deleted, in order.
export function all() {
  const changes = changesByKey();
  const seen = [...todos.values()].filter(
    (todo) => changes.get(todo.key) !== null && (!todo.gone || todo.editing),
  );
  return seen.map((todo) => view(todo, changes.get(todo.key))).sort(compare);
}

export const hasLoaded = () => isLoaded;

/* ---- reading ---- */

// What was sent and not yet acknowledged may be on the server by now.
function isBeingAdded({ title, order }) {
  return outbox.all().some(({ method, changes }) =>
    method === 'POST' && changes.some(({ body }) => body.title === title && (body.order ?? null) === order));
}

function take(list) {
  const keys = new Set();
  for (const saved of list) {
    const key = server.keyOf(saved);
    const todo = todos.get(key);
    keys.add(key);
    if (todo) todo.saved = saved;
    else if (!isBeingAdded(saved)) todos.set(key, makeTodo(key, server.numberOf(key), saved));
  }
  // what is being edited stays until that is over: its text would be lost
  for (const [key, todo] of todos) {
    if (keys.has(key) || !todo.saved) continue;
    todo.gone = true;
    if (!todo.editing) todos.delete(key);
  }
}

// Those that were typed before there was a list to put them into.
function placeAdded() {
  let end = orderAtEnd(all().filter(({ todo }) => todo.saved));
  for (const { method, changes } of outbox.all())
    for (const { body } of changes) {
      if (method !== 'POST' || body.order !== undefined) continue;
      body.order = end;
      end = orderAfter(end);
    }
  outbox.keep();
}

// Whether there was news.
async function readOnce(waits) {
  const seen = acknowledged;
  const last = lastTaken;
  again = false;
  const list = await server.readList(waits);
  if (seen !== acknowledged) {
    again = true; // once all are through
    if (outbox.isIdle()) refreshQuietly();
    return true;
  }
  take(list);
  lastTaken = list;
  if (!isLoaded) {
    isLoaded = true;
    placeAdded();
    outbox.retry();
  }
  listener.changed();
  return list !== last;
}

// Reads the list again.
export function refresh() {
  reading ??= readOnce(false).finally(() => {
    reading = null;
    if (again && outbox.isIdle()) return refresh();
  });
  return reading;
}

// Reads it as soon as there is news, or after a while; whether there was. Other tabs are told.
export async function follow() {
  const isNews = await readOnce(true);
  if (isNews) channel.postMessage('changed');
  return isNews;
}

const refreshQuietly = () => refresh().catch(() => {});
channel.onmessage = refreshQuietly;

/* ---- what became of a change ---- */

function forget(todo) {
  if (todos.get(todo.key) === todo) todos.delete(todo.key);
  todo.gone = true;
}

function receive(todo, saved) {
  const key = server.keyOf(saved);
  if (todo.key !== key) {
    outbox.rename(todo.key, key);
    todos.delete(todo.key);
    todo.key = key;
    todo.number = server.numberOf(key);
    todos.set(key, todo); // in the place of what a list may have brought meanwhile
  }
  todo.saved = saved;
}

function onAcknowledged({ method, changes }, saved) {
  acknowledged++;
  changes.forEach(({ key }, index) => {
    const todo = todos.get(key);
    if (todo && method === 'DELETE') forget(todo);
    else if (todo) receive(todo, saved[index]);
  });
  outbox.keep();
  channel.postMessage('changed');
  listener.acknowledged();
}

function onRefused(change, failure) {
  const titles = change.changes.map(({ key, body }) => todos.get(key)?.saved?.title ?? body?.title ?? '');
  const its = change.changes.map(({ key }) => todos.get(key));
  if (failure.current && its[0]) its[0].saved = failure.current;
  if (change.method === 'POST' || failure.status === 404) {
    for (const todo of its) if (todo) forget(todo);
    for (const { key } of change.changes) outbox.drop(key);
  }
  listener.refused({ ...change, todos: its, titles }, failure);
}

function onChanged() {
  if (again && outbox.isIdle()) refreshQuietly();
  listener.changed();
}

/* ---- changes: each shows at once ---- */

function putMany(method, changes) {
  for (let start = 0; start < changes.length; start += MANY) outbox.put(method, changes.slice(start, start + MANY));
}

// `items`: { title, completed, order }, of which only the title must be there. Without an order
// they stand at the end.
export function add(items) {
  let end = isLoaded ? orderAtEnd(all()) : undefined;
  const added = items.map((item) => {
    const todo = makeTodo(`new ${nextNumber}`, nextNumber, null);
    const body = { ...item };
    nextNumber++;
    if (body.order === undefined && isLoaded) {
      body.order = end;
      end = orderAfter(end);
    }
    todos.set(todo.key, todo);
    return { todo, body };
  });
  putMany('POST', added.map(({ todo, body }) => ({ key: todo.key, body })));
  return added.map(({ todo }) => todo);
}

// `changes`: [todo, properties] pairs.
export const change = (changes) => putMany('PATCH', changes.map(([todo, body]) => ({ key: todo.key, body })));

// `from` is the title that was there when the edit began: if it is another one by now, that is
// told instead, by a refusal with the current todo.
export function rename(todo, title, from) {
  outbox.put('PATCH', [{ key: todo.key, body: { title }, from }]);
}

export function remove(gone) {
  for (const todo of gone) outbox.put('DELETE', [{ key: todo.key }]);
}

// Adds once more what was removed, each where it stood among the items `before`.
export function addAgain(items, before) {
  const added = add(items.map(({ title, completed, order }) => ({ title: title || null, completed, order })));
  const again = new Map(items.map(({ todo }, index) => [todo, added[index]]));
  const orders = new Map();
  const seen = all();
  let next = null;
  for (const { todo: old } of [...before].reverse()) {
    const todo = again.get(old) ?? old;
    const place = seen.findIndex((item) => item.todo === todo);
    if (place < 0) continue; // it went away meanwhile
    if (todo !== old && next && seen[place + 1]?.todo !== next) {
      const [item] = seen.splice(place, 1);
      const index = seen.findIndex((other) => other.todo === next);
      seen.splice(index, 0, item);
      for (const [moved, order] of ordersAfterMove(seen, index)) {
        moved.order = order;
        orders.set(moved.todo, { order });
      }
    }
    next = todo;
  }
  change([...orders]);
  return added;
}

// Puts a todo before another one, or at the end of those that the user sees.
export function move(todo, before, lastSeen) {
  const items = all();
  const others = items.filter((item) => item.todo !== todo);
  const found = others.findIndex((item) => item.todo === (before ?? lastSeen));
  if (found < 0) return; // it went away meanwhile
  const index = before ? found : found + 1;
  others.splice(index, 0, items.find((item) => item.todo === todo));
  change([...ordersAfterMove(others, index)].map(([item, order]) => [item.todo, { order }]));
}

/* ---- start ---- */

// What an earlier page of this tab did not get through.
function restore() {
  for (const { method, changes } of outbox.all())
    for (const { key } of changes) {
      if (method !== 'POST') continue;
      const number = Number(key.slice('new '.length));
      todos.set(key, makeTodo(key, number, null));
      nextNumber = Math.max(nextNumber, number + 1);
    }
}

// `given`: changed(), acknowledged(), refused({ method, changes, todos, titles }, failure).
export function start(given) {
  listener = given;
  restore();
  outbox.start({
    acknowledged: onAcknowledged,
    refused: onRefused,
    changed: onChanged,
    maySend: ({ method, changes }) => method !== 'POST' || changes.every(({ body }) => body.order !== undefined),
  });
}
