// The board is closed for good: what can be done about it depends on why.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { useBoard } from "@snapback/client/react";

import { useDesk } from "../desk.js";
import { follow, forget, hrefOf } from "../route.js";
import { claimsOf, enterAgain, who } from "../session.js";
import { panel } from "../ui.js";
import { say } from "../words/words.js";
import { bar, knock } from "./door.js";
import { RenameForm } from "./RenameMe.js";
import { SignIn } from "./SignIn.js";
import { SignOut } from "./SignOut.js";

/** Close codes of PROTOCOL.md. */
const badToken = 4500;
const notYours = 4502;
const version = 4504;

export function Closed() {
  const desk = useDesk();
  const { closeCode, me, board } = useBoard();
  const { user, token } = who.value;
  const name = me?.user ?? claimsOf(token).sub ?? user;
  useEffect(() => {
    panel.value = undefined; // nothing of it is to be seen any more
  }, []);
  useEffect(() => {
    if (closeCode === badToken) void knock();
    if (closeCode === notYours) forget();
  }, [closeCode]);
  if (closeCode === badToken || bar.value === "token" || bar.value === "stale") return <main class="closed"><SignIn lost={token !== ""} /></main>;
  if (bar.value === "name") {
    return (
      <Told title={say("closed.name", { name: user })} more={say("closed.nameMore")}>
        <RenameForm />
      </Told>
    );
  }
  if (closeCode === notYours) {
    const wasHere = me !== undefined || board !== undefined;
    return (
      <Told
        title={wasHere ? say("closed.noMore") : say("closed.nowhere", { board: desk.board })}
        more={say(wasHere ? "closed.noMoreMore" : "closed.nowhereMore", { name })}
      >
        <ToBoards primary />
        <Again />
        {token && <SignOut desk={desk} />}
      </Told>
    );
  }
  if (closeCode === version) {
    return (
      <Told title={say("closed.version")} more={say("closed.versionMore")}>
        <button type="button" class="primary" onClick={() => location.reload()}>{say("closed.reload")}</button>
      </Told>
    );
  }
  return <Told title={say("closed.other")} more={say("closed.otherMore", { code: closeCode ?? 0 })}><Again primary /><ToBoards /></Told>;
}

function Told({ title, more, children }: { readonly title: string; readonly more: string; readonly children: ComponentChildren }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => ref.current?.focus(), []);
  return (
    <main class="closed">
      <div role="alert">
        <h2 ref={ref} tabIndex={-1}>{title}</h2>
        <p>{more}</p>
      </div>
      <div class="choices">{children}</div>
    </main>
  );
}

const ToBoards = ({ primary = false }: { readonly primary?: boolean }) => (
  <a class={primary ? "primary" : "second"} href={hrefOf()} onClick={follow}>{say("people.toBoards")}</a>
);

const Again = ({ primary = false }: { readonly primary?: boolean }) => (
  <button type="button" class={primary ? "primary" : "second"} onClick={enterAgain}>{say("people.tryAgain")}</button>
);
