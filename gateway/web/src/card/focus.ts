// Where the keyboard goes on when what had the focus is gone.

/** Focuses the first that there is of these, once the page is drawn, unless something else has taken the focus. */
export function refocus(...selectors: readonly string[]): void {
  requestAnimationFrame(() => setTimeout(() => {
    const { activeElement: focus } = document;
    if (focus && focus !== document.body && !(focus instanceof HTMLDialogElement)) return;
    for (const selector of selectors) {
      const element = document.querySelector<HTMLElement>(selector);
      if (element) return element.focus();
    }
  }));
}

/** The element of an entity within the dialog. */
export const at = (id: string | undefined): string => `dialog [data-id="${CSS.escape(id ?? "")}"]`;
