// What can not be undone is asked about first.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { say } from "../words/words.js";
import { Pop } from "./Pop.js";

/** A button that asks before it does it. */
export function Sure({ name, question, act, face, run }: {
  /** What the button is called. */
  readonly name: string;
  /** Worked out when the button is pressed. */
  question(): string;
  /** What the button is called that does it. */
  readonly act: string;
  readonly face: ComponentChildren;
  run(): void;
}) {
  return <Pop label={name} face={face}>{(close) => <Question question={question()} act={act} run={run} close={close} />}</Pop>;
}

/** The question; not doing it has the focus. */
export function Question({ question, act, run, close }: {
  readonly question: string;
  readonly act: string;
  run(): void;
  close(): void;
}) {
  const safe = useRef<HTMLButtonElement>(null);
  useEffect(() => safe.current?.focus(), []);
  return (
    <div class="sure" role="group" aria-label={question}>
      <p dir="auto">{question}</p>
      <p class="sure-choice">
        <button
          type="button" class="danger"
          onClick={() => {
            close();
            run();
          }}
        >
          {act}
        </button>
        <button ref={safe} type="button" class="second" data-first onClick={close}>{say("card.cancel")}</button>
      </p>
    </div>
  );
}
