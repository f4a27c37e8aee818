// Todos as lines of text: what is pasted, and what is copied.

export const MOST = 256; // characters of a title
const SHOWN_FROM = 200;

// A list's item of Markdown, of a word processor or of a mail; [x] is done.
const ITEM = /^\s*(?:[-*+•–]\s+|\d+[.)]\s+)?(?:\[([ xX])\]\s+)?(.*?)\s*$/;

const lengthOf = (text) => [...text].length;

export function parse(text) {
  return text.split(/[\r\n]+/)
    .map((line) => ITEM.exec(line))
    .filter(([, , title]) => title !== '')
    .map(([, mark, title]) => (mark && mark !== ' ' ? { title, completed: true } : { title }));
}

export const format = (items) =>
  items.map(({ title, completed }) => `- [${completed ? 'x' : ' '}] ${title.replace(/\s+/g, ' ')}\n`).join('');

export const isTooLong = (text) => lengthOf(text.trim()) > MOST;

// How much of a title's room is used, when it gets short.
export function count(text) {
  const length = lengthOf(text.trim());
  return length < SHOWN_FROM ? '' : `${length}/${MOST}`;
}
