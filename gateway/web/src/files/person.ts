// People by their names.

import type { Member, Store } from "@snapback/client";

export interface Person {
  readonly user: string;
  readonly name: string;
  readonly picture: string | undefined;
}

/** Who a user is, as far as the board knows. */
export function person(store: Store, user: string): Person {
  const member = store.get<Member>(`member:${user}`);
  return { user, name: member?.name || user, picture: member?.avatar };
}
