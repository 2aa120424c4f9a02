const soon = 100;
const ageing = 500;
const most = 100;
const style = `
:host { color-scheme: light dark; display: block; font: 12px/1.45 system-ui, sans-serif; color: var(--ink);
  --ground: light-dark(#fff, #1b1e26); --ink: light-dark(#1c2030, #e6e8ef); --soft: light-dark(#5a6175, #a3aabd);
  --line: light-dark(#d5d9e4, #383d4b); --good: light-dark(#1d7a3e, #6fd08c); --wait: light-dark(#8a6100, #f0c060);
  --bad: light-dark(#b3261e, #ff8a80); }
:host([hidden]) { display: none; }
:host([floating]) { position: fixed; right: 12px; bottom: 12px; z-index: 2147483647; width: min(440px, calc(100vw - 24px)); }
details { background: var(--ground); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
:host([floating]) details { box-shadow: 0 4px 18px #0003; }
summary { padding: 7px 11px; cursor: pointer; font-weight: 600; }
summary:focus-visible, .body:focus-visible { outline: 2px solid var(--wait); outline-offset: -2px; }
summary small { font: inherit; font-weight: 400; color: var(--soft); }
.body { max-height: min(60vh, 480px); overflow: auto; border-top: 1px solid var(--line); padding: 8px 11px; }
dl { display: grid; grid-template-columns: auto 1fr auto 1fr; gap: 1px 10px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; margin-top: 10px; table-layout: fixed; }
caption { text-align: left; font-weight: 600; padding-bottom: 2px; }
th { text-align: left; font-weight: 400; color: var(--soft); }
th, td { padding: 2px 8px 2px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:nth-child(2) { width: 7.5em; }
th:nth-child(3), td:nth-child(3) { width: 5em; padding-right: 0; text-align: right; font-variant-numeric: tabular-nums; }
td:first-child { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.body:focus-visible td:first-child { white-space: normal; overflow-wrap: anywhere; }
td:first-child, dd { font-family: ui-monospace, monospace; font-size: 11px; line-height: 17px; }
td:nth-child(2) { overflow-wrap: anywhere; }
td[colspan] { color: var(--soft); font: inherit; }
[data-tone=good] { color: var(--good); }
[data-tone=wait] { color: var(--wait); }
[data-tone=bad] { color: var(--bad); }
`;
const time = (ms) => ms < 1e3 ? `${Math.max(0, Math.round(ms))} ms` : `${(ms / 1e3).toFixed(1)} s`;
const brief = (id) => id.length > 16 ? `\u2026${id.slice(-6)}` : id;
function describe(changes, name = (id) => id) {
  return changes.map(({ entityId, patch }) => {
    if (patch === null) return `delete ${name(entityId)}`;
    const { kind, ...fields } = patch;
    const said = Object.entries(fields).map(([field, v]) => `${field}: ${JSON.stringify(v)}`).join(", ");
    return `${kind ? `new ${kind} ` : ""}${name(entityId)}${said ? ` ${said}` : ""}`;
  }).join("; ");
}
const toneOf = {
  live: "good",
  connecting: "wait",
  lagging: "wait",
  offline: "bad",
  closed: "bad",
  unconfirmed: "bad",
  queued: "wait"
};
function draw(seen, now) {
  const row = (id, changes, state, more, ms, tone = "") => ({
    key: id,
    cells: [describe(changes, brief), state, time(ms)],
    more: [`${id}: ${describe(changes)}`, more],
    tone
  });
  const waiting = (m) => row(m.id, m.changes, m.state, "", now - m.madeAt, toneOf[m.state]);
  const over = ({ id, changes, verdict: v, tookMs }) => v.ok ? row(id, changes, `ack, rev ${v.rev}`, `${v.events} events`, tookMs, "good") : row(id, changes, v.code, `${v.reason} ${JSON.stringify(v.details)}`, tookMs, "bad");
  return {
    summary: `${seen.board}: ${seen.status}, ${seen.pending.length} pending`,
    tone: toneOf[seen.status] ?? "",
    facts: {
      "rev": String(seen.rev),
      "round trip": seen.latencyMs === void 0 ? "\u2013" : time(seen.latencyMs),
      "entities": String(seen.entities),
      "you": seen.me ? `${seen.me.user}, ${seen.me.role}` : "\u2013",
      "epoch": brief(seen.epoch ?? "\u2013"),
      "session": brief(seen.me?.session ?? "\u2013")
    },
    pending: seen.pending.slice(0, most).map(waiting),
    verdicts: seen.verdicts.map(over).reverse()
  };
}
function make(tag, text = "", ...children) {
  const el = document.createElement(tag);
  el.textContent = text;
  el.append(...children);
  return el;
}
function write(el, text, tone) {
  if (el.textContent !== text) el.textContent = text;
  if (tone !== void 0 && el.dataset["tone"] !== tone) el.dataset["tone"] = tone;
}
function table(title, heads, none) {
  const caption = make("caption", title);
  const body = make("tbody");
  const head = make("tr", "", ...heads.map((text) => Object.assign(make("th", text), { scope: "col" })));
  const empty = make("tr", "", Object.assign(make("td", none), { colSpan: heads.length }));
  const rows = /* @__PURE__ */ new Map();
  return {
    el: make("table", "", caption, make("thead", "", head), body),
    show(list, all = list.length) {
      write(caption, all > list.length ? `${title} (${list.length} of ${all})` : title);
      const keys = new Set(list.map((r) => r.key));
      for (const [key, tr] of rows) if (!keys.has(key)) tr.remove(), rows.delete(key);
      if (list.length) empty.remove();
      else body.append(empty);
      list.forEach(({ key, cells, more, tone }, i) => {
        const tr = rows.get(key) ?? make("tr", "", ...cells.map(() => make("td")));
        rows.set(key, tr);
        cells.forEach((text, n) => write(tr.cells[n], text, n === 1 ? tone : void 0));
        more.forEach((text, n) => tr.cells[n].title = text);
        if (body.children[i] !== tr) body.insertBefore(tr, body.children[i] ?? null);
      });
    }
  };
}
const Base = globalThis.HTMLElement ?? class {
};
class SnapbackPanel extends Base {
  #store;
  #unhook;
  #timer;
  #due = 0;
  // when the timer goes off
  #parts;
  get store() {
    return this.#store;
  }
  set store(store) {
    this.#stop();
    this.#store = store;
    if (this.isConnected) this.#start();
  }
  connectedCallback() {
    if (Object.hasOwn(this, "store")) {
      const early = this.store;
      delete this.store;
      this.store = early;
    } else {
      this.#start();
    }
  }
  disconnectedCallback() {
    this.#stop();
  }
  #start() {
    const store = this.#store;
    this.#parts ??= skeleton(this.attachShadow({ mode: "open" }), () => this.#draw());
    if (!store) return;
    const later = () => this.#later(soon);
    const hooks = {
      made: later,
      sending: later,
      concluded: later,
      confirmed: later,
      live: later,
      gone: later,
      lagging: later,
      closed: later
    };
    store.engine.hooks.add(hooks);
    const deaf = store.onStatus(later);
    this.#unhook = () => {
      store.engine.hooks.delete(hooks);
      deaf();
    };
    this.#draw();
  }
  #stop() {
    this.#unhook?.();
    this.#unhook = void 0;
    clearTimeout(this.#timer);
    this.#timer = void 0;
  }
  #later(ms) {
    const due = performance.now() + ms;
    if (this.#timer !== void 0 && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = void 0;
      this.#draw();
    }, ms);
  }
  #draw() {
    if (!this.#store || !this.#parts) return;
    const seen = this.#store.inspect();
    this.#parts.show(draw(seen, this.#store.engine.now()), seen.pending.length);
    if (seen.pending.length) this.#later(ageing);
  }
}
function skeleton(root, opened) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const state = make("small");
  const facts = make("dl");
  const pending = table("Pending", ["Mutation", "State", "Age"], "Nothing waits for a verdict.");
  const verdicts = table("Verdicts, newest first", ["Mutation", "Verdict", "Took"], "None yet.");
  const body = Object.assign(make("div", "", facts, pending.el, verdicts.el), { className: "body", tabIndex: 0 });
  body.setAttribute("role", "region");
  body.setAttribute("aria-label", "Snapback: mutations and connection");
  const details = make("details", "", make("summary", "Snapback ", state), body);
  details.open = true;
  details.addEventListener("toggle", opened);
  root.append(details);
  const values = /* @__PURE__ */ new Map();
  return {
    show(drawn, waiting) {
      write(state, drawn.summary, drawn.tone);
      if (!details.open) return;
      for (const [name, text] of Object.entries(drawn.facts)) {
        let dd = values.get(name);
        if (!dd) values.set(name, dd = make("dd")), facts.append(make("dt", name), dd);
        write(dd, text);
      }
      pending.show(drawn.pending, waiting);
      verdicts.show(drawn.verdicts);
    }
  };
}
if (globalThis.customElements && !customElements.get("snapback-panel")) customElements.define("snapback-panel", SnapbackPanel);
function attachPanel(store, parent = document.body) {
  const panel = document.createElement("snapback-panel");
  panel.store = store;
  panel.toggleAttribute("floating", true);
  parent.append(panel);
  return () => panel.remove();
}
export {
  SnapbackPanel,
  attachPanel,
  draw
};
