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
  left: (count) => [count, count === 1 ? ' item left' : ' items left'],
  hint: 'Double-click a todo to edit it, drag it to move it. By keyboard: Enter or F2 edits, Alt with ↑ or ↓ moves.',
  api: 'The API behind this page',
  retry: 'Try again',
  untitled: '(no title)',
  toggle: (title) => `Complete: ${title}`,
  edit: (title) => `Edit: ${title}`,
  destroy: (title) => `Delete: ${title}`,
  move: (title) => `Move: ${title} (arrow keys)`,
  moved: (title, place, count) => `${title}: now ${place} of ${count}`,
  away: 'The server can’t be reached.',
  nonsense: 'The server’s answer makes no sense – signed out?',
  elsewhere: 'Open in a new tab',
  notLoaded: 'The list could not be read.',
  notAdded: (title) => `Not added: “${title}”.`,
  notSaved: (title) => `Not saved: “${title}”.`,
  notChanged: (title) => `Not changed: “${title}”.`,
  notDeleted: (title) => `Not deleted: “${title}”.`,
  gone: 'It was deleted meanwhile.',
  refused: (status, why) => `The server said no (${status})${why ? `: ${why}` : '.'}`,
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
  left: (count) => ['剩余 ', count, ' 项'],
  hint: '双击可编辑，拖动可排序。键盘：Enter 或 F2 编辑，Alt 加 ↑ 或 ↓ 移动。',
  api: '此页面使用的 API',
  retry: '重试',
  untitled: '（无标题）',
  toggle: (title) => `完成：${title}`,
  edit: (title) => `编辑：${title}`,
  destroy: (title) => `删除：${title}`,
  move: (title) => `移动：${title}（方向键）`,
  moved: (title, place, count) => `${title}：现在是第 ${place} 项，共 ${count} 项`,
  away: '无法连接服务器。',
  nonsense: '服务器的回答无法理解，您可能已退出登录。',
  elsewhere: '在新标签页中打开',
  notLoaded: '无法读取列表。',
  notAdded: (title) => `未添加：“${title}”。`,
  notSaved: (title) => `未保存：“${title}”。`,
  notChanged: (title) => `未更改：“${title}”。`,
  notDeleted: (title) => `未删除：“${title}”。`,
  gone: '它已被删除。',
  refused: (status, why) => `服务器拒绝了请求（${status}）${why ? `：${why}` : '。'}`,
};

const isChinese = /^zh\b/i.test(navigator.language);

export const words = isChinese ? chinese : english;

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
