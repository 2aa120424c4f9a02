// One card with all that belongs to it.

import { useEntity } from "@snapback/client/react";

import { nameOf, useDesk } from "../desk.js";
import { Dialog } from "../parts/Dialog.js";
import { hrefOf, navigate } from "../route.js";

export function CardDialog({ id }: { readonly id: string }) {
  const desk = useDesk();
  const card = useEntity(id);
  return <Dialog label={nameOf(card) ?? id} className="card-dialog" onClose={() => navigate(hrefOf(desk.board))}><h2>{nameOf(card)}</h2></Dialog>;
}
