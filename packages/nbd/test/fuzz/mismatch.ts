/** What the server did is not what the model says. */
export class Mismatch extends Error {
  override readonly name: string = "Mismatch";
}
