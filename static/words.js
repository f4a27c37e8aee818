// All that the page says, in the browser's language: English, or Simplified Chinese.

const english = {
  title: 'Todos',
  heading: 'todos',
  description: 'A list of things to do, kept on the server and shared by everyone who opens it.',
  prompt: 'What needs to be done?',
  newTodo: 'New todo: What needs to be done?',
  toggleAll: 'Mark all as complete',
  all: 'All',
  active: 'Active',
  completed: 'Completed',
  clear: 'Clear completed',
  find: 'Find',
  left: (count) => [count, count === 1 ? ' item left' : ' items left'],
  nothing: 'Nothing to do yet. Type a todo above and press Enter.',
  allDone: (count) => (count === 1 ? 'The only one is done.' : `All ${count} are done.`),
  noneDone: 'Nothing is done yet.',
  noneFound: 'Nothing has these words in it.',
  mouseHint: 'Double-click a todo to edit it, drag it by its dots.',
  touchHint: 'Tap a todo to edit it, drag it by its dots.',
  keys: 'Keyboard',
  api: 'The API behind this page',
  retry: 'Try again',
  undo: 'Undo',
  show: 'Show',
  close: 'Close',
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
  used: (count, most) => `${count} of ${most} characters`,
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
  keysTitle: 'Keys',
  keysSingle: 'Single letters are shortcuts',
  keyList: [
    ['n', 'to the field for a new todo'],
    ['/', 'find, where there are 30 todos or more'],
    ['u, Ctrl+Z', 'undo the last deletion'],
    ['?', 'this help'],
    ['↑ ↓', 'from row to row'],
    ['← →', 'within a row'],
    ['Space', 'tick'],
    ['Enter, F2', 'edit'],
    ['Delete', 'delete'],
    ['Alt+↑ Alt+↓', 'move the todo'],
    ['Esc', 'leave an edit as it was'],
  ],
};

const chinese = {
  title: '待办事项',
  heading: '待办',
  description: '一份保存在服务器上、由所有访问者共享的待办清单。',
  prompt: '需要做什么？',
  newTodo: '新的待办事项：需要做什么？',
  toggleAll: '全部标记为已完成',
  all: '全部',
  active: '未完成',
  completed: '已完成',
  clear: '清除已完成',
  find: '查找',
  left: (count) => ['剩余 ', count, ' 项'],
  nothing: '还没有待办。在上面输入一项，按回车键添加。',
  allDone: (count) => `${count} 项已全部完成。`,
  noneDone: '还没有完成的。',
  noneFound: '没有包含这些字的。',
  mouseHint: '双击可编辑，拖动圆点可排序。',
  touchHint: '轻点可编辑，拖动圆点可排序。',
  keys: '键盘',
  api: '此页面使用的 API',
  retry: '重试',
  undo: '撤销',
  show: '显示',
  close: '关闭',
  discard: '放弃',
  theirs: '用对方的',
  mine: '用我的',
  untitled: '（无标题）',
  toggle: (title) => `完成：${title}`,
  edit: (title) => `编辑：${title}`,
  destroy: (title) => `删除：${title}`,
  move: (title) => `移动：${title}（方向键）`,
  moved: (title, place, count) => `${title}：现在是第 ${place} 项，共 ${count} 项`,
  shows: (count) => `显示 ${count} 项`,
  used: (count, most) => `${count} 个字符，最多 ${most} 个`,
  added: (title) => `已添加：“${title}”。`,
  addedMany: (count) => `已添加 ${count} 项。`,
  deleted: (title) => `已删除：“${title}”。`,
  deletedMany: (count) => `已删除 ${count} 项。`,
  marked: (count, completed) => `已将 ${count} 项标记为${completed ? '已完成' : '未完成'}。`,
  away: '无法连接服务器。',
  nonsense: '服务器的回答无法理解，您可能已退出登录。',
  elsewhere: '在新标签页中打开',
  notLoaded: '无法读取列表。',
  waiting: (count) => `${count} 项更改在等待服务器。`,
  surelyDiscard: (count) => `放弃 ${count} 项等待中的更改？`,
  quoted: (titles) => titles.map((title) => `“${title}”`).join('、'),
  notAdded: (titles) => `未添加：${titles}。`,
  notSaved: (titles) => `未保存：${titles}。`,
  notChanged: (titles) => `未更改：${titles}。`,
  notDeleted: (titles) => `未删除：${titles}。`,
  tooLong: (title, most) => `未添加：“${title}”超过 ${most} 个字符。`,
  gone: '它已被删除。',
  conflict: (theirs, mine) => `其间已被改为“${theirs}”。您的是“${mine}”。`,
  refused: (status, why) => `服务器拒绝了请求（${status}）${why ? `：${why}` : '。'}`,
  reasons: [
    [/Ensure this field has no more than (\d+) characters\./, '不能超过 $1 个字符。'],
    [/Null characters are not allowed\./, '不能有空字符。'],
    [/A valid integer is required\./, '必须是整数。'],
    [/Ensure this value is (less|greater) than or equal to -?\d+\./, '数值超出范围。'],
    [/This field may not be (null|blank)\./, '不能为空。'],
    [/The database is not available\./, '数据库不可用。'],
  ],
  keysTitle: '按键',
  keysSingle: '单个字母作为快捷键',
  keyList: [
    ['n', '到新待办的输入框'],
    ['/', '查找（30 项以上时）'],
    ['u, Ctrl+Z', '撤销删除'],
    ['?', '此帮助'],
    ['↑ ↓', '在各行之间移动'],
    ['← →', '在一行之内移动'],
    ['Space', '勾选'],
    ['Enter, F2', '编辑'],
    ['Delete', '删除'],
    ['Alt+↑ Alt+↓', '移动该项'],
    ['Esc', '放弃编辑'],
  ],
};

const isChinese = /^zh\b/i.test(navigator.language);

export const words = isChinese ? chinese : english;

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
