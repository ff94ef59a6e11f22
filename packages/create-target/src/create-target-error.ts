/** What was asked for cannot be; the message names the value and says what would be right. */
export class CreateTargetError extends Error {
  override readonly name = "CreateTargetError";
}
