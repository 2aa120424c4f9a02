// The boards one may see, and the way to make another.

import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";

import { Icon } from "../parts/Icon.js";
import { follow, hrefOf, navigate } from "../route.js";
import { address, claimsOf, Problem, request, who } from "../session.js";
import { MainMenu } from "../top/MainMenu.js";
import { wording } from "../words/refusal.js";
import { locale, say } from "../words/words.js";
import { bar, knock } from "./door.js";
import { listing, sorted, type Listed } from "./listing.js";
import { RenameForm } from "./RenameMe.js";
import { SignIn } from "./SignIn.js";

export function Boards() {
  const { seat, token, user } = who.value;
  useEffect(() => {
    document.title = `${say("boards.title")} · Snapback`;
    document.body.dataset["status"] = document.body.dataset["role"] = "";
  }, []);
  const { sub, name } = claimsOf(token);
  return (
    <div class="page">
      <header class="top">
        <div class="top-row">
          <h1>{say("boards.title")}</h1>
          <span class="top-fill" />
          <MainMenu name={token ? (name ?? sub ?? "") : bar.value ? "" : user} user={token ? (sub ?? "") : user} />
        </div>
      </header>
      <All key={seat} />
    </div>
  );
}

function All() {
  const list = useMemo(listing, []);
  const { problem } = list;
  useEffect(() => {
    void knock();
    void list.more();
    const again = () => void (list.boards.value === undefined && list.more());
    addEventListener("online", again);
    return () => removeEventListener("online", again);
  }, []);
  if (bar.value === "token" || bar.value === "stale") return <main class="boards"><SignIn lost={bar.value === "stale"} /></main>;
  if (bar.value === "name") return <main class="boards"><p role="alert">{say("closed.name", { name: who.value.user })}</p><RenameForm /></main>;
  return (
    <main class="boards">
      <Make />
      {problem.value && problem.value.status !== 401 && (
        <div class="trouble" role="alert">
          <p>{problem.value.code === "offline" ? say("boards.offline") : `${say("boards.refused")}: ${wording(problem.value, () => undefined)}`}</p>
          <div class="choices">
            <button type="button" class="primary" onClick={() => void list.more()}>{say("people.tryAgain")}</button>
            <a class="second" href={`/${location.search}`} onClick={follow}>{say("boards.lastBoard")}</a>
          </div>
        </div>
      )}
      {list.boards.value ? <Found list={list} all={list.boards.value} /> : !problem.value && <p role="status">{say("people.loading")}</p>}
    </main>
  );
}

/** More than these are not drawn at once. */
const drawn = 200;

function Found({ list, all }: { readonly list: ReturnType<typeof listing>; readonly all: readonly Listed[] }) {
  const [words, setWords] = useState("");
  const [most, setMost] = useState(drawn);
  const { open, archived } = useMemo(() => sorted(all, words, locale), [all, words]);
  const hasMore = list.hasMore.value;
  useEffect(() => {
    if (words && hasMore && !list.problem.value) void list.more(); // what is searched for may be on a page to come
  }, [words, all, hasMore]);
  if (!all.length && !hasMore) return <p>{say("boards.none")}</p>;
  return (
    <>
      <div class="board-search">
        <Icon name="search" />
        <input
          type="search" dir="auto" aria-label={say("boards.search")} placeholder={say("boards.search")} value={words}
          onInput={(e) => setWords(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key === "Enter" && words && open[0]) navigate(hrefOf(open[0].board));
          }}
        />
        <span role="status">{say("boards.count", { count: open.length + archived.length })}</span>
      </div>
      {!open.length && !archived.length && words !== "" && <p role="status">{say("boards.noMatch", { words })}</p>}
      <List boards={open.slice(0, most)} />
      {(hasMore || open.length > most) && (
        <button
          type="button" class="second"
          onClick={() => {
            setMost(most + drawn);
            if (hasMore) void list.more();
          }}
        >
          {say("boards.more")}
        </button>
      )}
      {archived.length > 0 && (
        <details class="archived-boards" open={words !== ""}>
          <summary>{say("boards.archived")} <span class="count">{archived.length.toLocaleString(locale)}</span></summary>
          <List boards={archived.slice(0, most)} />
        </details>
      )}
    </>
  );
}

const List = ({ boards }: { readonly boards: readonly Listed[] }) => (
  <ul class="board-list">
    {boards.map(({ board, title, role }) => (
      <li key={board}>
        <a href={hrefOf(board)} onClick={follow}><bdi>{title || board}</bdi></a>
        {role && <span class="hint">{say(`role.${role}`)}</span>}
      </li>
    ))}
  </ul>
);

/** A form for another board. The same key for the same title: a request whose answer was lost makes no second board. */
function Make() {
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const asked = useRef({ title: "", key: "" });
  const id = useId();
  const submit = async () => {
    const title = input.current!.value.trim();
    if (!title || busy) return input.current!.focus();
    if (asked.current.title !== title) asked.current = { title, key: newKey() };
    setBusy(true);
    try {
      const answer = await request(address("/v1/boards"), {
        method: "POST", body: JSON.stringify({ title }), headers: { "Content-Type": "application/json", "Idempotency-Key": asked.current.key },
      });
      navigate(hrefOf(((await answer.json()) as { id: string }).id));
    } catch (e) {
      setBusy(false);
      const problem = e instanceof Problem ? e : new Problem("offline", 0, {});
      setWrong(`${say("boards.failed", { what: title })}: ${wording(problem, () => undefined, title)}`);
      input.current?.focus();
    }
  };
  return (
    <form
      class="new-board"
      onSubmit={(e) => {
        e.preventDefault();
        void submit();
      }}
    >
      <h2>{say("boards.new")}</h2>
      <div class="in-line">
        <input
          ref={input} dir="auto" name="title" autocomplete="off" aria-label={say("boards.newTitle")} placeholder={say("boards.newTitle")}
          aria-invalid={wrong !== ""} aria-describedby={id} onInput={() => setWrong("")}
        />
        <button type="submit" class="primary" aria-disabled={busy}>{say("boards.create")}</button>
      </div>
      <p id={id} class="wrong" role="alert">{wrong}</p>
    </form>
  );
}

const newKey = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
