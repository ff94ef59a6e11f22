/** A name in one word that needs no quotes in a shell. */
export function wordOf({ name }: { readonly name: string }): string {
  return name.replaceAll(/[^\w.:#/-]+/g, "_").replaceAll(/^[_-]+|_+$/g, "");
}
