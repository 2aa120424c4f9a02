// What happened to an entity, in words.

export function History({ entity }: { readonly entity: string }) {
  void entity;
  return null;
}
