// A button for what can not be undone: it asks first.

import type { ComponentChildren } from "preact";

import { say } from "../words/words.js";
import { Pop } from "./Pop.js";

export function Sure({ name, question, act, className, face, run }: {
  /** What the button is called. */
  readonly name: string;
  /** Asked before it is done; worked out when the button is pressed. */
  readonly question: string | (() => string);
  /** What the button is called that does it. */
  readonly act: string;
  readonly className?: string;
  readonly face: ComponentChildren;
  run(): void;
}) {
  return (
    <Pop label={name} face={face} {...(className ? { className } : {})}>
      {(close) => (
        <div class="sure">
          <p>{typeof question === "string" ? question : question()}</p>
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
            <button type="button" class="second" data-first onClick={close}>{say("card.cancel")}</button>
          </p>
        </div>
      )}
    </Pop>
  );
}
