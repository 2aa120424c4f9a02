// A form for a token.

import { useEffect, useId, useRef, useState } from "preact/hooks";

import { Problem, signIn } from "../session.js";
import { say, type Key } from "../words/words.js";
import { bar, tryToken } from "./door.js";

export function SignIn({ lost = false }: {
  /** There was a token, and it does not open any more. */
  readonly lost?: boolean;
}) {
  const [wrong, setWrong] = useState<Key>();
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => input.current?.focus(), []);
  const submit = async () => {
    const token = input.current!.value.trim().replace(/^Bearer\s+/i, "");
    if (!token || busy) return input.current!.focus();
    setBusy(true);
    try {
      await tryToken(token);
      bar.value = undefined;
      signIn(token);
    } catch (e) {
      setBusy(false);
      setWrong(e instanceof Problem && e.status === 401 ? "signIn.wrong" : "signIn.offline");
      input.current?.select();
    }
  };
  return (
    <form
      class="sign-in"
      onSubmit={(e) => {
        e.preventDefault();
        void submit();
      }}
    >
      <h2>{say(lost ? "signIn.expired" : "signIn.title")}</h2>
      <p>{say("signIn.why")}</p>
      <label class="field">
        {say("signIn.token")}
        <input
          ref={input} type="password" name="token" dir="ltr" autocomplete="off" spellcheck={false} required aria-invalid={wrong !== undefined}
          aria-describedby={`${id}-kept ${id}-wrong`} onInput={() => setWrong(undefined)}
        />
      </label>
      <p id={`${id}-kept`} class="hint">{say("signIn.kept")}</p>
      <p id={`${id}-wrong`} class="wrong" role="alert">{wrong && say(wrong)}</p>
      <button type="submit" class="primary" aria-disabled={busy}>{say("signIn.do")}</button>
    </form>
  );
}
