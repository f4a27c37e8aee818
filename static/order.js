// Where a todo stands: by `order`, those without one last, then by age.

const STEP = 1024;
const LEAST = -(2 ** 31);
const MOST = 2 ** 31 - 1;

export function compare(one, other) {
  const a = one.order ?? Infinity;
  const b = other.order ?? Infinity;
  if (a !== b) return a < b ? -1 : 1;
  return one.number - other.number;
}

export const orderAfter = (order) => (order === null || order > MOST - STEP ? null : order + STEP);

// The order of a new todo after all that are there: none as long as the last one has none.
export const orderAtEnd = (todos) => (todos.length > 0 ? orderAfter(todos.at(-1).order) : STEP);

function numberAll(todos) {
  return new Map(todos.map((todo, index) => [todo, (index + 1) * STEP]));
}

// The orders to change, todo -> order, so that `todos` stand as they are given after the one at
// `index` was put there. Mostly that one alone.
export function ordersAfterMove(todos, index) {
  const changes = new Map();
  let last = null;
  for (const todo of todos.slice(0, index)) {
    if (todo.order === null) changes.set(todo, (last ?? 0) + STEP);
    last = changes.get(todo) ?? todo.order;
  }
  const next = todos[index + 1]?.order ?? null;
  let order;
  if (last === null) order = next === null ? STEP : next - STEP;
  else if (next === null) order = last + STEP;
  else order = last + Math.max(1, Math.floor((next - last) / 2));
  changes.set(todos[index], order);
  for (const todo of todos.slice(index + 1)) {
    if (todo.order === null || todo.order > order) break;
    changes.set(todo, ++order);
  }
  const inRange = [...changes.values()].every((value) => value >= LEAST && value <= MOST);
  return inRange ? changes : numberAll(todos);
}
