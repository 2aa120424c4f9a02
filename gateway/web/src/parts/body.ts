// What style sheets ask of the page as a whole. It stands on the body: with a selector that looks for it (:has) the browser
// would have to ask again for all that is put into the page.

import { useLayoutEffect } from "preact/hooks";

/** `body[data-name]` as long as it is so and the component is there. */
export function useOnBody(name: string, on: boolean): void {
  useLayoutEffect(() => {
    if (!on) return undefined;
    document.body.dataset[name] = "";
    return () => void delete document.body.dataset[name];
  }, [name, on]);
}
