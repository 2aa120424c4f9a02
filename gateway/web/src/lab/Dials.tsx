// What the server is to do with this window's mutations.

import { useId, useRef } from "preact/hooks";

import { useDesk } from "../desk.js";
import { locale, say, type Key } from "../words/words.js";
import { failed } from "./lab.js";
import { chosen, isOn, put, wanted, type Setting } from "./setting.js";

const percent = new Intl.NumberFormat(locale, { style: "percent" });

export function Dials() {
  const desk = useDesk();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const send = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => put(desk, wanted()).catch(failed), 120); // a slider says many things on its way
  };
  const turn = (more: Partial<Setting>) => {
    const next = { ...chosen.value, ...more };
    if (next.refuse + next.swallow > 1) return;
    chosen.value = next;
    if (isOn.value) send();
  };
  const on = isOn.value;
  return (
    <fieldset class="dials">
      <legend class="unseen">{say("panel.lab")}</legend>
      <button
        type="button" class={on ? "primary" : "second"} role="switch" aria-checked={on}
        onClick={() => {
          isOn.value = !on;
          send();
        }}
      >
        {say(on ? "lab.on" : "lab.off")}
      </button>
      <Dial name="lab.refuse" value={chosen.value.refuse} most={1} step={0.05} says={percent.format} set={(refuse) => turn({ refuse })} />
      <Dial name="lab.swallow" value={chosen.value.swallow} most={1} step={0.05} says={percent.format} set={(swallow) => turn({ swallow })} />
      <Dial name="lab.delay" value={chosen.value.delayMs} most={3500} step={100} says={(count) => say("lab.ms", { count })} set={(delayMs) => turn({ delayMs })} />
      <Dial name="lab.jitter" value={chosen.value.jitterMs} most={2000} step={100} says={(count) => say("lab.ms", { count })} set={(jitterMs) => turn({ jitterMs })} />
    </fieldset>
  );
}

function Dial({ name, value, most, step, says, set }: {
  readonly name: Key;
  readonly value: number;
  readonly most: number;
  readonly step: number;
  says(value: number): string;
  set(value: number): void;
}) {
  const id = useId();
  return (
    <p class="dial">
      <label for={id}>{say(name)}</label>
      <output for={id} data-number>{says(value)}</output>
      <input id={id} type="range" min={0} max={most} step={step} value={value} aria-valuetext={says(value)} onInput={(e) => set(Number(e.currentTarget.value))} />
    </p>
  );
}
