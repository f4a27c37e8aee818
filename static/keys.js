// Shortcuts of one letter. Who dictates or has a shaky hand can switch them off in the dialog that
// tells all keys (WCAG 2.1.4).

const OFF = 'todos.noSingleKeys';

export const letters = {
  get areOff() {
    try {
      return localStorage.getItem(OFF) === 'yes';
    } catch {
      return false;
    }
  },
  set areOff(value) {
    try {
      localStorage.setItem(OFF, value ? 'yes' : 'no');
    } catch {
      // where nothing is kept, they are on again with the next page
    }
  },
};

export const showKeys = async () => (await import('./help.js')).showKeys();

const isTyping = (target) => target.matches('input:not([type=checkbox]), textarea');

// `actions`: what each letter does.
export function start(actions) {
  const all = { ...actions, '?': showKeys };
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || isTyping(event.target) || event.target.closest('dialog') || event.altKey) return;
    const isUndo = event.key === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey;
    const action = isUndo ? actions.u : all[event.key];
    if (!action || (!isUndo && (event.ctrlKey || event.metaKey || letters.areOff))) return;
    event.preventDefault();
    if (!event.repeat) action();
  });
}
