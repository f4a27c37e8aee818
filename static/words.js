// What the page says in the browser's language: English, here but for what index.html says itself and
// help.js tells; or Simplified Chinese, all of it in words-zh.js.

const english = {
  title: 'Todos',
  left: (count) => [count, count === 1 ? ' item left' : ' items left'],
  nothing: 'Nothing to do yet. Type a todo above and press Enter.',
  allDone: (count) => (count === 1 ? 'The only one is done.' : `All ${count} are done.`),
  noneDone: 'Nothing is done yet.',
  noneFound: 'Nothing has these words in it.',
  retry: 'Try again',
  undo: 'Undo',
  show: 'Show',
  discard: 'Discard',
  theirs: 'Use theirs',
  mine: 'Use mine',
  untitled: '(no title)',
  toggle: (title) => `Complete: ${title}`,
  edit: (title) => `Edit: ${title}`,
  destroy: (title) => `Delete: ${title}`,
  move: (title) => `Move: ${title} (arrow keys)`,
  moved: (title, place, count) => `${title}: now ${place} of ${count}`,
  shows: (count) => (count === 1 ? '1 todo is shown' : `${count} todos are shown`),
  added: (title) => `Added: “${title}”.`,
  addedMany: (count) => `Added ${count} todos.`,
  deleted: (title) => `Deleted: “${title}”.`,
  deletedMany: (count) => `Deleted ${count} todos.`,
  marked: (count, completed) => `Marked ${count} as ${completed ? 'complete' : 'active'}.`,
  away: 'The server can’t be reached.',
  nonsense: 'The server’s answer makes no sense – signed out?',
  elsewhere: 'Open in a new tab',
  notLoaded: 'The list could not be read.',
  waiting: (count) => (count === 1 ? '1 change waits for the server.' : `${count} changes wait for the server.`),
  surelyDiscard: (count) => (count === 1 ? 'Discard the change that waits?' : `Discard the ${count} changes that wait?`),
  quoted: (titles) => titles.map((title) => `“${title}”`).join(', '),
  notAdded: (titles) => `Not added: ${titles}.`,
  notSaved: (titles) => `Not saved: ${titles}.`,
  notChanged: (titles) => `Not changed: ${titles}.`,
  notDeleted: (titles) => `Not deleted: ${titles}.`,
  tooLong: (title, most) => `Not added: “${title}” is longer than ${most} characters.`,
  gone: 'It was deleted meanwhile.',
  conflict: (theirs, mine) => `Changed to “${theirs}” meanwhile. Yours: “${mine}”.`,
  refused: (status, why) => `The server said no (${status})${why ? `: ${why}` : '.'}`,
  reasons: [],
};

const isChinese = /^zh\b/i.test(navigator.language);

export const words = isChinese ? (await import('./words-zh.js')).default : english;

// What the server says of a mistake, in the page's language where it has words for it.
export const localize = (why) =>
  words.reasons.reduce((text, [pattern, own]) => text.replace(pattern, own), why);

const LONGEST = 40; // characters of a title that a message quotes

export function shorten(title) {
  const characters = [...title];
  if (characters.length <= LONGEST) return title;
  return `${characters.slice(0, LONGEST - 1).join('').trimEnd()}…`;
}

// Puts the words into the page, which was written in English.
export function translate() {
  if (!isChinese) return;
  document.documentElement.lang = 'zh-CN';
  document.title = words.title;
  document.querySelector('meta[name=description]').content = words.description;
  for (const element of document.querySelectorAll('[data-word]'))
    element.textContent = words[element.dataset.word];
  for (const element of document.querySelectorAll('[data-placeholder]'))
    element.placeholder = words[element.dataset.placeholder];
  for (const element of document.querySelectorAll('[data-label]'))
    element.setAttribute('aria-label', words[element.dataset.label]);
}
