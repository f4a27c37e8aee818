// The forms of the API's pages: sends what a plain form can't, and shows the answer in place.

const english = {
  'Delete all': (count) => (count === 1 ? 'Delete the only todo?' : `Delete all ${count} todos?`),
  'Delete it': (name) => `Delete “${name}”?`,
  away: 'The server can’t be reached.',
};

// By what the server has written, too.
const chinese = {
  'Todos': '待办',
  'Fields': '字段',
  'GET as JSON': 'GET（JSON）',
  'Title': '标题',
  'Completed': '已完成',
  'Order': '顺序',
  'Site': '网站',
  'Answer': '回答',
  'Headers': '标头',
  'Body': '正文',
  'Requests': '请求',
  'Delete all': (count) => `删除全部 ${count} 项？`,
  'Delete it': (name) => `删除“${name}”？`,
  away: '无法连接服务器。',
};
const isChinese = /^zh\b/i.test(navigator.language);
const words = isChinese ? chinese : english;

const address = location.pathname.replace(/\.api\/?$/, '');
const body = document.querySelector('.json');
const find = (selector) => document.querySelector(selector);

function showText(element, text) {
  element.replaceChildren();
  for (const part of text.split(/(https?:\/\/[^\s"\\<>]+)/)) {
    if (!/^https?:/.test(part)) {
      element.append(part);
      continue;
    }
    const link = document.createElement('a');
    link.href = part;
    link.rel = 'nofollow noreferrer';
    link.textContent = part;
    element.append(link);
  }
}

// What is wrong with a field, beside it.
function showErrors(errors) {
  for (const input of document.querySelectorAll('.fields input')) {
    const texts = errors?.[input.name];
    const id = `${input.id}-error`;
    document.getElementById(id)?.remove();
    input.ariaInvalid = texts ? 'true' : null;
    if (!texts) {
      input.removeAttribute('aria-describedby');
      continue;
    }
    const text = Object.assign(document.createElement('span'), { id, className: 'error', textContent: [texts].flat().join(' ') });
    input.after(text);
    input.setAttribute('aria-describedby', id);
  }
}

function show(method, status, statusText, headers, text) {
  const number = document.createElement('b');
  number.textContent = status || '–';
  find('h1').textContent = `${method} ${address}`;
  document.title = `${status || '–'} ${statusText} – ${method} ${address}`;
  find('.status').replaceChildren(number, ` ${statusText}`);
  find('.status').dataset.class = String(status).slice(0, 1);
  showText(find('.headers'), headers);
  showText(body, text);
  find('main').scrollIntoView({ block: 'start' });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// What a DELETE would take away, as it is now.
async function question() {
  try {
    const response = await fetch(address, { headers: { Accept: 'application/json' } });
    const shown = await response.json();
    if (Array.isArray(shown)) return words['Delete all'](shown.length);
    if (shown.url) return words['Delete it'](shown.title ?? '–');
  } catch {
    // without an answer, the address must do
  }
  return words['Delete it'](address);
}

// What was sent is done with: the forms begin again, with what the todo is now.
function startAgain(method, answer) {
  if (method === 'OPTIONS') return;
  if (address === '/todos') fill({});
  else if (method === 'DELETE') find('.forms').hidden = true;
  else fill(answer);
}

async function send(method, content) {
  let response, text;
  try {
    response = await fetch(address, {
      method,
      headers: { Accept: 'application/json', ...(typeof content === 'string' && { 'Content-Type': 'application/json' }) },
      body: content,
    });
    text = await response.text();
  } catch {
    show(method, 0, words.away, '', '');
    return;
  }
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}\n`).join('');
  const answer = parse(text);
  show(method, response.status, response.statusText, headers, answer === undefined ? text : JSON.stringify(answer, null, 4));
  showErrors(response.status === 400 ? answer : null);
  if (response.ok) startAgain(method, answer);
}

function contentOf(form) {
  if ('raw' in form.dataset) return form.querySelector('textarea').value;
  if ('empty' in form.dataset) return undefined;
  return new URLSearchParams(new FormData(form));
}

addEventListener('submit', async (event) => {
  event.preventDefault();
  const method = event.submitter.value;
  if (method !== 'DELETE' || confirm(await question())) send(method, contentOf(event.target));
});

// What the fields hold, as JSON. No null is proposed: a todo without a title is seldom meant.
function fillRaw() {
  const content = {};
  for (const { name, type, checked, value, valueAsNumber, required } of document.querySelectorAll('.fields input')) {
    if (type === 'checkbox') content[name] = checked;
    else if (value !== '' || required) content[name] = type === 'number' ? valueAsNumber : value;
  }
  find('#raw').value = JSON.stringify(content, null, 4);
}

// What the forms begin with: the todo that is shown, or nothing.
function fill(shown) {
  for (const input of document.querySelectorAll('.fields input')) {
    const value = shown?.[input.name];
    if (input.type === 'checkbox') input.checked = value === true;
    else input.value = value ?? '';
  }
  fillRaw();
}

function translate() {
  document.documentElement.lang = 'zh-CN';
  for (const element of document.querySelectorAll('[data-say]'))
    element.textContent = chinese[element.textContent] ?? element.textContent;
  for (const element of document.querySelectorAll('[aria-label]'))
    element.ariaLabel = chinese[element.ariaLabel] ?? element.ariaLabel;
}

if (isChinese) translate();
if (find('form.fields')) {
  if (find('.status').dataset.class === '2') fill(parse(body.textContent));
  else fillRaw(); // the server has left in the fields what was typed
}
for (const form of document.forms) form.hidden = false;
