// A panel for people who develop: what is pending, the newest verdicts, how the connection is. Importing this defines the
// element <snapback-panel>; it shows what `store.inspect()` tells, and that is the hook for tools of your own.

import type { Hooks } from "./engine.js";
import type { Change } from "./entities.js";
import type { Inspection, Store } from "./store.js";
import type { Mutation, Unsubscribe } from "./types.js";

const soon = 100; // milliseconds from an event to its drawing
const ageing = 500; // milliseconds between drawings while ages grow
const most = 100; // rows of pending ones

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

interface Row {
  readonly key: string;
  readonly cells: readonly [what: string, state: string, time: string];
  /** More about what and about state, for who points at them. */
  readonly more: readonly [what: string, state: string];
  readonly tone: string;
}

interface Drawn {
  readonly summary: string;
  readonly tone: string;
  readonly facts: { readonly [name: string]: string };
  readonly pending: readonly Row[];
  readonly verdicts: readonly Row[];
}

const time = (ms: number) => (ms < 1000 ? `${Math.max(0, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`);

/** An id of which only the end is telling: a ULID begins with its time. */
const brief = (id: string) => (id.length > 16 ? `…${id.slice(-6)}` : id);

/** What a mutation does, in a line. */
function describe(changes: readonly Change[], name = (id: string) => id): string {
  return changes.map(({ entityId, patch }) => {
    if (patch === null) return `delete ${name(entityId)}`;
    const { kind, ...fields } = patch;
    const said = Object.entries(fields).map(([field, v]) => `${field}: ${JSON.stringify(v)}`).join(", ");
    return `${kind ? `new ${kind} ` : ""}${name(entityId)}${said ? ` ${said}` : ""}`;
  }).join("; ");
}

const toneOf: { readonly [state: string]: string } = {
  live: "good", connecting: "wait", lagging: "wait", offline: "bad", closed: "bad", unconfirmed: "bad", queued: "wait",
};

/** @internal What the panel says, `now` by the server's clock. */
export function draw(seen: Inspection, now: number): Drawn {
  const row = (id: string, changes: readonly Change[], state: string, more: string, ms: number, tone = ""): Row => ({
    key: id, cells: [describe(changes, brief), state, time(ms)], more: [`${id}: ${describe(changes)}`, more], tone,
  });
  const waiting = (m: Mutation) => row(m.id, m.changes, m.state, "", now - m.madeAt, toneOf[m.state]);
  const over = ({ id, changes, verdict: v, tookMs }: Inspection["verdicts"][number]) => v.ok
    ? row(id, changes, `ack, rev ${v.rev}`, `${v.events} events`, tookMs, "good")
    : row(id, changes, v.code, `${v.reason} ${JSON.stringify(v.details)}`, tookMs, "bad");
  return {
    summary: `${seen.board}: ${seen.status}, ${seen.pending.length} pending`,
    tone: toneOf[seen.status] ?? "",
    facts: {
      "rev": String(seen.rev), "round trip": seen.latencyMs === undefined ? "–" : time(seen.latencyMs),
      "entities": String(seen.entities), "you": seen.me ? `${seen.me.user}, ${seen.me.role}` : "–",
      "epoch": brief(seen.epoch ?? "–"), "session": brief(seen.me?.session ?? "–"),
    },
    pending: seen.pending.slice(0, most).map(waiting),
    verdicts: seen.verdicts.map(over).reverse(),
  };
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, text = "", ...children: Node[]): HTMLElementTagNameMap[K] {
  const el = document.createElement(tag);
  el.textContent = text;
  el.append(...children);
  return el;
}

function write(el: HTMLElement, text: string, tone?: string): void {
  if (el.textContent !== text) el.textContent = text;
  if (tone !== undefined && el.dataset["tone"] !== tone) el.dataset["tone"] = tone;
}

/** A table whose rows stay the same elements, so that a selection in it stays. */
function table(title: string, heads: readonly string[], none: string) {
  const caption = make("caption", title);
  const body = make("tbody");
  const head = make("tr", "", ...heads.map((text) => Object.assign(make("th", text), { scope: "col" })));
  const empty = make("tr", "", Object.assign(make("td", none), { colSpan: heads.length }));
  const rows = new Map<string, HTMLTableRowElement>();
  return {
    el: make("table", "", caption, make("thead", "", head), body),
    show(list: readonly Row[], all = list.length): void {
      write(caption, all > list.length ? `${title} (${list.length} of ${all})` : title);
      const keys = new Set(list.map((r) => r.key));
      for (const [key, tr] of rows) if (!keys.has(key)) tr.remove(), rows.delete(key);
      if (list.length) empty.remove();
      else body.append(empty);
      list.forEach(({ key, cells, more, tone }, i) => {
        const tr = rows.get(key) ?? make("tr", "", ...cells.map(() => make("td")));
        rows.set(key, tr);
        cells.forEach((text, n) => write(tr.cells[n]!, text, n === 1 ? tone : undefined));
        more.forEach((text, n) => (tr.cells[n]!.title = text));
        if (body.children[i] !== tr) body.insertBefore(tr, body.children[i] ?? null);
      });
    },
  };
}

// A server may import this too; there it defines nothing.
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/** `<snapback-panel>`: shows the store given as its property `store`. */
export class SnapbackPanel extends Base {
  #store: Store | undefined;
  #unhook: Unsubscribe | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = 0; // when the timer goes off
  #parts: ReturnType<typeof skeleton> | undefined;

  get store(): Store | undefined {
    return this.#store;
  }
  set store(store: Store | undefined) {
    this.#stop();
    this.#store = store;
    if (this.isConnected) this.#start();
  }

  connectedCallback(): void {
    // Of a property set before the element was defined.
    if (Object.hasOwn(this, "store")) {
      const early = this.store;
      delete (this as { store?: Store | undefined }).store;
      this.store = early;
    } else {
      this.#start();
    }
  }

  disconnectedCallback(): void {
    this.#stop();
  }

  #start(): void {
    const store = this.#store;
    this.#parts ??= skeleton(this.attachShadow({ mode: "open" }), () => this.#draw());
    if (!store) return;
    const later = () => this.#later(soon);
    const hooks: Hooks = {
      made: later, sending: later, concluded: later, confirmed: later, live: later, gone: later, lagging: later, closed: later,
    };
    store.engine.hooks.add(hooks);
    const deaf = store.onStatus(later);
    this.#unhook = () => {
      store.engine.hooks.delete(hooks);
      deaf();
    };
    this.#draw();
  }

  #stop(): void {
    this.#unhook?.();
    this.#unhook = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #later(ms: number): void {
    const due = performance.now() + ms;
    if (this.#timer !== undefined && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, ms);
  }

  #draw(): void {
    if (!this.#store || !this.#parts) return;
    const seen = this.#store.inspect();
    this.#parts.show(draw(seen, this.#store.engine.now()), seen.pending.length);
    if (seen.pending.length) this.#later(ageing);
  }
}

function skeleton(root: ShadowRoot, opened: () => void) {
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
  const values = new Map<string, HTMLElement>();
  return {
    show(drawn: Drawn, waiting: number): void {
      write(state, drawn.summary, drawn.tone);
      if (!details.open) return;
      for (const [name, text] of Object.entries(drawn.facts)) {
        let dd = values.get(name);
        if (!dd) values.set(name, (dd = make("dd"))), facts.append(make("dt", name), dd);
        write(dd, text);
      }
      pending.show(drawn.pending, waiting);
      verdicts.show(drawn.verdicts);
    },
  };
}

if (globalThis.customElements && !customElements.get("snapback-panel")) customElements.define("snapback-panel", SnapbackPanel);

declare global {
  interface HTMLElementTagNameMap {
    "snapback-panel": SnapbackPanel;
  }
}

/** Puts a panel into a corner of the page; gives what takes it away. */
export function attachPanel(store: Store, parent: Element = document.body): () => void {
  const panel = document.createElement("snapback-panel");
  panel.store = store;
  panel.toggleAttribute("floating", true);
  parent.append(panel);
  return () => panel.remove();
}
