// The bar of the replay: the slider with the marks of what was refused, and how it is played.

import type { Signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";

import { useDesk } from "../desk.js";
import { Avatar } from "../parts/Avatar.js";
import { Icon, type IconName } from "../parts/Icon.js";
import { personOf } from "../people/candidates.js";
import { wording } from "../words/refusal.js";
import { locale, say } from "../words/words.js";
import { keyOf, type Choice } from "./film.js";
import { playOrPause, stepAside } from "./keys.js";
import { speeds, type Player, type Speed } from "./player.js";
import { marked, useTell } from "./telling.js";

interface BarProps {
  readonly player: Player;
  readonly head: number;
  /** Is the list of changes shown? */
  readonly listed: Signal<boolean>;
}

export function Bar({ player, head, listed }: BarProps) {
  const playing = player.playing.value;
  return (
    <section class="past-bar" aria-label={say("time.label")}>
      <Now player={player} />
      <Track player={player} head={head} />
      <div class="past-controls">
        <span class="past-steps">
          <Control icon="previous" label={say("time.previous")} run={() => void stepAside(player, -1)} />
          <Control icon={playing ? "pause" : "play"} label={say(playing ? "time.pause" : "time.play")} keys="Space" run={() => void playOrPause(player, head)} />
          <Control icon="next" label={say("time.next")} run={() => void stepAside(player, 1)} />
        </span>
        <Speeds player={player} />
        <Follow player={player} />
        <What player={player} />
        <button
          type="button" class="tool past-list" aria-expanded={listed.value} onClick={() => void (listed.value = !listed.value)}
        >
          <Icon name="inspect" /><span>{say("time.events")}</span>
        </button>
      </div>
    </section>
  );
}

function Control({ icon, label, keys, run }: { readonly icon: IconName; readonly label: string; readonly keys?: string; run(): void }) {
  return (
    <button type="button" class="tool past-control" data-icon={icon} aria-label={label} title={label} aria-keyshortcuts={keys} onClick={run}>
      <Icon name={icon} />
    </button>
  );
}

/** How much of one mutation is told. */
const most = 2;

/** What happened at the moment that is shown; or why it is not shown. */
function Now({ player }: { readonly player: Player }) {
  const { store } = useDesk();
  const tell = useTell(player, "then");
  const { stretch, index, state, searching, failure, spot } = player;
  const d = stretch.value.decisions[index.value];
  if (state.value === "failed") {
    return (
      <p class="past-now" data-tone="refused">
        <span role="alert">{say("time.failed", { why: wording(failure.value ?? { code: "offline", details: {} }, () => undefined) })}</span>
        <button type="button" class="second" onClick={() => void player.go(spot.value)}>{say("time.again")}</button>
      </p>
    );
  }
  if (!d) return <p class="past-now">{say(state.value === "loading" ? "time.loading" : "time.asItWas")}</p>;
  const { name, picture } = personOf(store, d.user);
  const lines = tell(d);
  return (
    <p class="past-now" data-tone={lines[0]?.tone} aria-busy={state.value === "loading" || searching.value || undefined}>
      <Avatar user={d.user} name={name} picture={picture} />
      <span class="past-words">{[...lines.slice(0, most).map(({ text }) => text), ...(lines.length > most ? [say("history.more", { count: lines.length - most })] : [])].join(" · ")}</span>
    </p>
  );
}

/** Marks that would lie on each other are one. */
const steps = 200;

function Track({ player, head }: { readonly player: Player; readonly head: number }) {
  const { spot, stretch, index, refusals, choice } = player;
  const input = useRef<HTMLInputElement>(null);
  const { decisions } = stretch.value;
  useEffect(() => input.current?.focus({ preventScroll: true }), []);
  const { rev } = spot.value;
  const { user } = choice.value;
  const marks = useMemo(() => {
    const all = new Map([...refusals.value, ...decisions.filter((d) => d.outcome === "refused")].map((d) => [keyOf(d), d]));
    const at = new Map<number, boolean>();
    for (const d of all.values()) {
      const place = Math.round(steps * (Math.max(d.rev, 1) - 1) / Math.max(1, head - 1)) / steps;
      at.set(place, (at.get(place) ?? false) || !user || d.user === user);
    }
    return [...at];
  }, [refusals.value, decisions, head, user]);
  return (
    <div class="past-track">
      <div class="past-marks" aria-hidden="true">
        {marks.map(([at, isMeant]) => <i key={at} data-dim={!isMeant || undefined} style={{ "--at": at }} />)}
      </div>
      <input
        ref={input} type="range" min={1} max={Math.max(head, 1)} step={1} value={rev} aria-label={say("time.slider")}
        aria-valuetext={marked(spot.value, head, decisions[index.value]?.at)}
        onInput={(e) => {
          player.stop();
          void player.go({ rev: Number(e.currentTarget.value) });
        }}
      />
    </div>
  );
}

function Speeds({ player }: { readonly player: Player }) {
  return (
    <label class="past-field">
      <span>{say("time.speed")}</span>
      <select value={String(player.speed.value)} onChange={(e) => player.faster(Number(e.currentTarget.value) as Speed)}>
        {speeds.map((n) => <option key={n} value={String(n)}>{say("time.times", { n })}</option>)}
      </select>
    </label>
  );
}

const { compare } = new Intl.Collator(locale, { numeric: true });

/** Whom to follow: the members, and whoever decided something that is at hand. */
function Follow({ player }: { readonly player: Player }) {
  const { store } = useDesk();
  const { stretch, refusals, choice } = player;
  const { user } = choice.value;
  const { decisions } = stretch.value;
  const people = useMemo(() => {
    const users = new Set([...store.list("member").map((m) => m.user), ...decisions.map((d) => d.user), ...refusals.value.map((d) => d.user), ...(user ? [user] : [])]);
    return [...users].map((one) => personOf(store, one)).sort((a, b) => compare(a.name, b.name));
  }, [store, decisions, refusals.value, user]);
  return (
    <label class="past-field">
      <span>{say("time.who")}</span>
      <select value={user} onChange={(e) => player.choose({ ...choice.value, user: e.currentTarget.value })}>
        <option value="">{say("time.everybody")}</option>
        {people.map((one) => <option key={one.user} value={one.user} dir="auto">{one.name}</option>)}
      </select>
    </label>
  );
}

const kinds: readonly Choice["what"][] = ["", "refused", "made", "moved", "deleted"];

function What({ player: { choice, choose } }: { readonly player: Player }) {
  const { what } = choice.value;
  return (
    <label class="past-field">
      <span>{say("time.what")}</span>
      <select value={what} onChange={(e) => choose({ ...choice.value, what: e.currentTarget.value as Choice["what"] })}>
        {kinds.map((kind) => <option key={kind} value={kind}>{say(`time.what.${kind || "all"}`)}</option>)}
      </select>
    </label>
  );
}
