// Elements, made and brought up to date. Data only ever becomes text.

export function make(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, v] of Object.entries(props)) {
    if (name.startsWith('on')) el.addEventListener(name.slice(2), v);
    else if (name in el && name !== 'list') el[name] = v;
    else el.setAttribute(name, v);
  }
  el.append(...children);
  return el;
}

export function text(el, value) {
  if (el.textContent !== value) el.textContent = value;
}

export function attribute(el, name, value) {
  if (value === null || value === false) el.removeAttribute(name);
  else if (el.getAttribute(name) !== String(value)) el.setAttribute(name, value);
}

// arrange makes the elements of list the children of parent, moving as few as
// it can; what is not in the list goes.
export function arrange(parent, list) {
  const keep = new Set(list);
  for (const el of [...parent.children]) if (!keep.has(el)) el.remove();
  list.forEach((el, i) => {
    if (parent.children[i] !== el) parent.insertBefore(el, parent.children[i] ?? null);
  });
}

// editable puts an input in place of el until Enter, blur (save) or Escape.
export function editable(el, value, label, save) {
  if (el.hidden) return;
  const input = make('input', { value, className: 'edit', ariaLabel: label });
  let over = false;
  const end = (keep) => {
    if (over) return;
    over = true;
    const next = input.value.trim();
    const focused = document.activeElement === input;
    input.remove();
    el.hidden = false;
    // With the key still down the button or link in el would be pressed by it.
    if (focused) addEventListener('keyup', () => document.activeElement === document.body && el.focus(), { once: true });
    if (keep && next && next !== value) save(next);
  };
  input.addEventListener('keydown', (e) => {
    e.stopPropagation();
    if (e.key === 'Enter' && !e.isComposing) {
      e.preventDefault();
      end(true);
    }
    if (e.key === 'Escape') end(false);
  });
  input.addEventListener('blur', () => end(true));
  el.hidden = true;
  el.after(input);
  input.focus();
  const dot = value.lastIndexOf('.');
  input.setSelectionRange(0, label.startsWith('Name') && dot > 0 ? dot : value.length);
}
