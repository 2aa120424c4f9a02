// Letters for a field that has gone. Others may take away a card while its title is typed; the focus goes to its neighbour,
// where letters are keys that archive and like. Whoever goes on typing means the field: until there is a pause, or a key
// or pointer that says that the user has seen it, what is typed means nothing.

/** How long a pause is, in milliseconds. */
const pause = 1500;

/** What of a key is looked at. */
export type Stroke = Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey" | "timeStamp" | "target">;

/** What has to be known of a field. */
export interface Field {
  readonly isConnected: boolean;
}

/** Told of every key and pointer; `astray` says whether a key is a letter for a field that has gone. */
export function following(fieldOf: (target: EventTarget | null) => Field | null): { astray(stroke: Stroke): boolean; pressed(): void } {
  let field: Field | null = null;
  let at = 0;
  return {
    astray({ key, ctrlKey, altKey, metaKey, timeStamp, target }) {
      const isText = (key.length === 1 && (ctrlKey === altKey || key > "~") && !metaKey) || key === "Backspace" || key === "Delete"; // AltGr is both; Option makes letters of its own
      const own = fieldOf(target);
      if (own) field = isText || /^(Process|Dead|Unidentified|Shift)$/.test(key) ? own : null; // Enter, Escape and Tab end it
      const isAstray = !own && field !== null && !field.isConnected && timeStamp - at < pause && (isText || key === "Enter" || key === "Shift");
      if (!own && !isAstray) field = null;
      at = timeStamp;
      return isAstray;
    },
    pressed: () => void (field = null),
  };
}

const { astray, pressed } = following((target) => (target instanceof Element ? target.closest("textarea, input:not([type=checkbox], [type=radio])") : null));

globalThis.addEventListener?.("keydown", (e) => {
  if (!astray(e)) return;
  e.preventDefault();
  e.stopImmediatePropagation();
}, true);
globalThis.addEventListener?.("pointerdown", pressed, true);
