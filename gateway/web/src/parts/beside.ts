// Where something small that opens over the page stands: beside the button it belongs to.

/** Below the button, or above where there is no room, and inside the window; its beginnings or its ends stand in line. */
export function beside(opened: HTMLElement, button: HTMLElement, align: "start" | "end" = "start"): void {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = opened;
  const isRight = (document.documentElement.dir === "rtl") === (align === "start");
  const left = isRight ? at.right - width : at.left;
  const fits = at.bottom + height + 12 <= innerHeight;
  const top = fits || at.top < height + 12 ? Math.min(at.bottom + 4, innerHeight - height - 8) : at.top - height - 4;
  opened.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  opened.style.top = `${Math.max(8, top)}px`;
}
