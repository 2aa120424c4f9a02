// What the board is called, and what it is about.

import { useEffect, useRef } from "preact/hooks";

import { useBoard } from "@snapback/client/react";

import { atLeast } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { Pop } from "../parts/Pop.js";
import { EditText, useEditing } from "../text/EditText.js";
import { renaming } from "../ui.js";
import { say } from "../words/words.js";

export function BoardTitle() {
  const { board, me, status } = useBoard();
  const button = useFocusBack(board !== undefined && renaming.value === board.id);
  if (!board) return <h1 class="board-title">{say("top.product")}</h1>;
  const { id, title, archived, description } = board;
  const editable = atLeast(me?.role, "admin") && !archived && status !== "closed";
  return (
    <div class="board-title">
      {renaming.value === id
        ? <EditText id={id} field="title" label={say("top.title")} onDone={() => (renaming.value = undefined)} />
        : (
          <h1>
            {editable
              ? <button ref={button} type="button" class="title-button" dir="auto" title={say("top.rename", { title })} onClick={() => (renaming.value = id)}>{title}</button>
              : <bdi title={title}>{title}</bdi>}
          </h1>
        )}
      {(description || editable) && (
        <Pop label={say("top.about")} face={<Icon name="info" />}>{() => <About id={id} text={description ?? ""} editable={editable} />}</Pop>
      )}
    </div>
  );
}

/** What was pressed has the focus again when the editing is over, unless that went elsewhere. */
function useFocusBack(editing: boolean) {
  const button = useRef<HTMLButtonElement>(null);
  const was = useRef(false);
  useEffect(() => {
    if (was.current && !editing && (document.activeElement ?? document.body) === document.body) button.current?.focus();
    was.current = editing;
  }, [editing]);
  return button;
}

function About({ id, text, editable }: { readonly id: string; readonly text: string; readonly editable: boolean }) {
  const [editing, setEditing] = useEditing(id, "description");
  if (editing) return <EditText id={id} field="description" label={say("top.description")} multiline onDone={() => setEditing(false)} />;
  return (
    <div class="about">
      <p dir="auto" class={text ? "about-text" : "hint"}>{text || say("top.noDescription")}</p>
      {editable && <button type="button" class="second" data-first onClick={() => setEditing(true)}>{say("top.describe")}</button>}
    </div>
  );
}
