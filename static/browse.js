// The forms of the API's pages: sends what a plain form can't, and shows the answer in place.

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

function show(method, status, statusText, headers, text) {
  const number = document.createElement('b');
  number.textContent = status || '–';
  find('h1').textContent = `${method} ${address}`;
  find('.status').replaceChildren(number, ` ${statusText}`);
  find('.status').dataset.class = String(status).slice(0, 1);
  showText(find('.headers'), headers);
  showText(body, text);
  find('main').scrollIntoView({ block: 'start' });
}

function indent(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 4);
  } catch {
    return text;
  }
}

// What a DELETE would take away, as it is now.
async function question() {
  try {
    const response = await fetch(address, { headers: { Accept: 'application/json' } });
    const shown = await response.json();
    if (Array.isArray(shown)) return `Delete ${shown.length === 1 ? 'the only todo' : `all ${shown.length} todos`}?`;
    if (shown.url) return `Delete “${shown.title ?? 'untitled'}”?`;
  } catch {
    // without an answer, the address must do
  }
  return `Delete ${address}?`;
}

async function send(method, content) {
  try {
    const response = await fetch(address, {
      method,
      headers: { Accept: 'application/json', ...(typeof content === 'string' && { 'Content-Type': 'application/json' }) },
      body: content,
    });
    const headers = [...response.headers].map(([name, value]) => `${name}: ${value}\n`).join('');
    show(method, response.status, response.statusText, headers, indent(await response.text()));
  } catch (error) {
    show(method, 0, String(error), '', '');
  }
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

// What the forms begin with: the todo that is shown, or nothing. No null is proposed: a todo without
// a title is seldom meant.
function fill() {
  const fields = find('form.fields');
  const shown = JSON.parse(body.textContent);
  if (!fields) return;
  const content = {};
  for (const input of fields.querySelectorAll('input')) {
    const value = shown[input.name];
    if (input.type === 'checkbox') {
      input.checked = value === true;
      content[input.name] = input.checked;
    } else {
      input.value = value ?? '';
      if (value != null || input.required) content[input.name] = value ?? '';
    }
  }
  find('#raw').value = JSON.stringify(content, null, 4);
}

fill();
for (const form of document.forms) form.hidden = false;
