// The todos as the user sees them: what the server has, and on top of it what is on its way
// there. A change shows at once; one that fails is taken off again, and what the server has shows.

import * as server from './server.js';
import { compare, orderAtEnd, ordersAfterMove } from './order.js';

const todos = new Map(); // key -> todo
const channel = openChannel();
let nextNumber = 1e15; // of todos that the server has not numbered yet
let writes = 0; // begun and ended ones: a list that was read across one is out of date
let underWay = 0;
let again = false;
let reading = null;
let listener = () => {};

// Firefox lets no tab talk to another where cookies are blocked.
function openChannel() {
  try {
    return new BroadcastChannel('todos');
  } catch {
    return { postMessage() {} };
  }
}

function makeTodo(key, number, saved) {
  const idle = { changes: [], queue: Promise.resolve(), deleting: 0, gone: false, editing: false };
  return { key, number, saved, ...idle };
}

// One property of a todo as it shows.
function value(todo, name) {
  const change = todo.changes.findLast((candidate) => name in candidate);
  return (change ?? todo.saved)[name];
}

function view(todo) {
  return {
    todo,
    key: todo.key,
    number: todo.number,
    title: value(todo, 'title') ?? '',
    completed: value(todo, 'completed'),
    order: value(todo, 'order'),
  };
}

const isSeen = (todo) => !todo.deleting && (!todo.gone || todo.editing);

// All that are not being deleted, in order.
export function all() {
  return [...todos.values()].filter(isSeen).map(view).sort(compare);
}

export function onChange(callback) {
  listener = callback;
}

function take(list) {
  const keys = new Set();
  for (const saved of list) {
    const key = server.keyOf(saved);
    const todo = todos.get(key);
    keys.add(key);
    if (todo) todo.saved = saved;
    else todos.set(key, makeTodo(key, server.numberOf(key), saved));
  }
  // what is being edited stays until that is over: its text would be lost
  for (const [key, todo] of todos) {
    if (keys.has(key)) continue;
    todo.gone = true;
    if (!todo.editing) todos.delete(key);
  }
}

async function readOnce() {
  do {
    const seen = writes;
    again = false;
    const list = await server.readList();
    if (seen === writes && underWay === 0) {
      take(list);
      listener();
    } else {
      again = true;
    }
  } while (again && underWay === 0);
}

// Reads the list again; while changes are on their way, once they are through.
export function refresh() {
  if (underWay > 0) {
    again = true;
    return Promise.resolve();
  }
  reading ??= readOnce().finally(() => {
    reading = null;
  });
  return reading;
}

channel.onmessage = () => refresh().catch(() => {});

// Runs a request after those of the same todo that are still under way.
function send(todo, request) {
  const done = todo.queue.then(request).finally(() => {
    writes++;
    underWay--;
    if (underWay === 0 && again) refresh().catch(() => {});
  });
  underWay++;
  writes++;
  todo.queue = done.catch(() => {});
  return done.then((result) => {
    channel.postMessage('changed');
    return result;
  });
}

function forget(todo) {
  if (todos.get(todo.key) === todo) todos.delete(todo.key);
  todo.gone = true;
}

// Each of these shows at once, and fails with a Failure when the server says no.

export async function add(title) {
  const order = orderAtEnd(all());
  const todo = makeTodo(`new ${nextNumber}`, nextNumber, { title, completed: false, order });
  nextNumber++;
  todos.set(todo.key, todo);
  const done = send(todo, async () => {
    try {
      const saved = await server.create(order === null ? { title } : { title, order });
      todos.delete(todo.key);
      todo.saved = saved;
      todo.key = server.keyOf(saved);
      todo.number = server.numberOf(todo.key);
      todos.set(todo.key, todo);
    } catch (failure) {
      forget(todo);
      throw failure;
    } finally {
      listener();
    }
  });
  listener();
  return done;
}

export async function change(todo, properties) {
  todo.changes.push(properties);
  const done = send(todo, async () => {
    try {
      if (todo.gone) throw new server.Failure(404, '');
      todo.saved = await server.update(todo.key, properties);
    } catch (failure) {
      if (failure.status === 404) forget(todo);
      throw failure;
    } finally {
      todo.changes.splice(todo.changes.indexOf(properties), 1);
      listener();
    }
  });
  listener();
  return done;
}

export async function remove(todo) {
  todo.deleting++;
  const done = send(todo, async () => {
    try {
      if (!todo.gone) await server.remove(todo.key);
      forget(todo);
    } catch (failure) {
      if (failure.status !== 404) throw failure;
      forget(todo);
    } finally {
      todo.deleting--;
      listener();
    }
  });
  listener();
  return done;
}

// Puts a todo before another one, or at the end of those that the user sees.
export function move(todo, before, lastSeen) {
  const others = all().filter((item) => item.todo !== todo);
  const found = others.findIndex((item) => item.todo === (before ?? lastSeen));
  if (found < 0) {
    listener(); // it went away meanwhile
    return Promise.resolve();
  }
  const index = before ? found : found + 1;
  others.splice(index, 0, view(todo));
  const changes = [...ordersAfterMove(others, index)];
  return Promise.all(changes.map(([item, order]) => change(item.todo, { order })));
}
