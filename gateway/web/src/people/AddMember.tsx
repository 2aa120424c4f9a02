// A form that adds a member.

import { useId, useRef, useState } from "preact/hooks";

import type { Member, Role } from "@snapback/client";
import { useBoard } from "@snapback/client/react";

import { useDesk } from "../desk.js";
import { announce } from "../say.js";
import { isName } from "../session.js";
import { say } from "../words/words.js";
import { adding, roles } from "./roster.js";

export function AddMember({ members }: { readonly members: readonly Member[] }) {
  const { store } = useDesk();
  const { me } = useBoard();
  const [role, setRole] = useState<Role>("editor");
  const [wrong, setWrong] = useState("");
  const user = useRef<HTMLInputElement>(null);
  const name = useRef<HTMLInputElement>(null);
  const id = useId();
  const submit = () => {
    const newcomer = { user: user.current!.value.trim(), name: name.current!.value.trim(), role };
    user.current!.focus();
    if (!isName(newcomer.user)) return setWrong(say("members.badUser"));
    if (members.some((m) => m.user === newcomer.user)) return setWrong(say("members.already", { user: newcomer.user }));
    const sent = store.transact(adding(members, me?.user, newcomer));
    user.current!.value = name.current!.value = "";
    void sent.then((verdict) => {
      if (verdict.ok) return announce(say("members.added", { name: newcomer.name || newcomer.user }));
      if (!user.current || user.current.value || name.current!.value) return; // closed, or at the next one already
      user.current.value = newcomer.user;
      name.current!.value = newcomer.name;
    });
  };
  return (
    <form
      class="add-member"
      onSubmit={(e) => {
        e.preventDefault();
        submit();
      }}
    >
      <h3>{say("members.add")}</h3>
      <label class="field">
        {say("members.user")}
        <input
          ref={user} name="user" dir="auto" autocomplete="off" autocapitalize="none" spellcheck={false} aria-invalid={wrong !== ""}
          aria-describedby={`${id}-hint ${id}-wrong`} onInput={() => setWrong("")}
        />
      </label>
      <p id={`${id}-hint`} class="hint">{say("members.userHint")}</p>
      <label class="field">
        {say("members.name")}
        <input ref={name} name="name" dir="auto" maxLength={255} autocomplete="off" placeholder={say("members.nameHint")} />
      </label>
      <label class="field">
        {say("members.role")}
        <select value={role} onChange={(e) => setRole(e.currentTarget.value as Role)} aria-describedby={`${id}-role`}>
          {roles.map((one) => <option key={one} value={one}>{say(`role.${one}`)}</option>)}
        </select>
      </label>
      <p id={`${id}-role`} class="hint">{say(`role.${role}`)}: {say(`role.${role}May`)}</p>
      <p id={`${id}-wrong`} class="wrong" role="alert">{wrong}</p>
      <button type="submit" class="primary">{say("members.doAdd")}</button>
    </form>
  );
}
