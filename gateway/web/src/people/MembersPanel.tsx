// Who is a member of the board, and as what.

import { useMemo } from "preact/hooks";

import type { Member, Role } from "@snapback/client";
import { useBoard, useList } from "@snapback/client/react";

import { atLeast, useDesk } from "../desk.js";
import { Avatar } from "../parts/Avatar.js";
import { Icon } from "../parts/Icon.js";
import { Sure } from "../parts/Sure.js";
import { navigate, hrefOf } from "../route.js";
import { who } from "../session.js";
import { locale, say } from "../words/words.js";
import { AddMember } from "./AddMember.js";
import { present } from "./present.js";
import { RoleChoice } from "./RoleChoice.js";
import { adding, inOrder, isLastAdmin } from "./roster.js";

export function MembersPanel() {
  const desk = useDesk();
  const { board, me } = useBoard();
  const members = useList("member");
  const sorted = useMemo(() => inOrder(members, locale), [members]);
  const isOpen = who.value.token === "";
  const isAdmin = atLeast(me?.role, "admin") && !board?.archived;
  const isMember = members.some((m) => m.user === me?.user);
  const strangers = present.value.filter((p) => !p.isMe && !members.some((m) => m.user === p.user));
  return (
    <div class="members">
      {isOpen && <p class="hint">{say("members.open")} {!members.length && say("members.openNone")}</p>}
      {!isAdmin && <p class="hint">{say("members.readOnly")}</p>}
      <p class="unseen" role="status">{say("members.count", { count: members.length })}</p>
      <ul class="member-list">
        {sorted.map((m) => <One key={m.id} member={m} members={members} editable={isAdmin} isOpen={isOpen} />)}
      </ul>
      {isAdmin && me && !isMember && (
        <button type="button" class="second" onClick={() => desk.store.transact(adding(members, me.user, { user: me.user, name: "", role: "admin" }))}>
          <Icon name="plus" /> {say("members.join")}
        </button>
      )}
      {isAdmin && <AddMember members={members} />}
      {strangers.length > 0 && (
        <section>
          <h3>{say("members.notMembers")}</h3>
          <ul class="member-list">
            {strangers.map(({ user, name, picture }) => (
              <li key={user}>
                <span aria-hidden="true"><Avatar user={user} name={name} picture={picture} /></span>
                <span class="member-name"><bdi>{name}</bdi></span>
                {isAdmin && (
                  <button
                    type="button" class="second" aria-label={say("members.addOne", { name })}
                    onClick={() => desk.store.transact(adding(members, me?.user, { user, name: name === user ? "" : name, role: "editor" }))}
                  >
                    {say("members.doAdd")}
                  </button>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function One({ member, members, editable, isOpen }: {
  readonly member: Member;
  readonly members: readonly Member[];
  readonly editable: boolean;
  readonly isOpen: boolean;
}) {
  const { store } = useDesk();
  const { me } = useBoard();
  const { id, user, role } = member;
  const name = member.name || user;
  const isMe = user === me?.user;
  const isLast = isLastAdmin(members, user);
  const isHere = isMe || present.value.some((p) => p.user === user);
  const leave = () => {
    void store.remove(id).then((verdict) => verdict.ok && isMe && !isOpen && navigate(hrefOf()));
  };
  return (
    <li data-user={user}>
      <span aria-hidden="true"><Avatar user={user} name={name} picture={member.avatar} /></span>
      <span class="member-name">
        <bdi>{isMe ? say("people.you", { name }) : name}</bdi>
        {name !== user && <bdi class="hint">{user}</bdi>}
        {isHere && <span class="hint here-now">{say("members.here")}</span>}
        {isLast && editable && <span class="hint">{say("members.last")}</span>}
      </span>
      {editable
        ? <RoleChoice name={name} role={role} isMe={isMe} disabled={isLast} change={(to: Role) => store.mutate(id, { role: to })} />
        : <span class="hint">{say(`role.${role}`)}</span>}
      {!isLast && (editable || isMe) && (
        <Sure
          name={isMe ? say("members.leave") : say("members.remove", { name })} face={<Icon name={isMe ? "leave" : "trash"} />}
          question={() => isMe ? say(isOpen ? "members.leaveSureOpen" : "members.leaveSure") : say("members.removeSure", { name })}
          act={say(isMe ? "members.doLeave" : "members.doRemove")} run={leave}
        />
      )}
    </li>
  );
}
