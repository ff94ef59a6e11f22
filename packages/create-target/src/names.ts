import { CreateTargetError } from "./create-target-error.ts";

/** As many characters as dmsetup has room for. */
const NAME_MAX = 15;

/** What a new target is called in all its places. */
export interface TargetNames {
  /** In tables: `write-log`. */
  readonly word: string;
  /** What the module exports: `writeLogTarget`. */
  readonly exported: string;
  /** Its class: `WriteLogTarget`. */
  readonly className: string;
  /** `@me/dm-write-log`. */
  readonly packageName: string;
}

/** Throws a CreateTargetError for a word that tables, or a package name that npm, would not take. */
export function namesOf(word: string, packageName: string): TargetNames {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(word) || word.length > NAME_MAX) {
    const right = `small letters, digits and single dashes, ${String(NAME_MAX)} characters at most, as in "write-log"`;
    throw new CreateTargetError(
      `the name ${JSON.stringify(word)} will not do; it should be ${right}`,
    );
  }
  if (!/^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/.test(packageName)) {
    const right = 'as in "dm-xor" or "@me/dm-xor"';
    throw new CreateTargetError(
      `the package name ${JSON.stringify(packageName)} will not do; it should be ${right}`,
    );
  }
  const className = word.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const camel = className.charAt(0).toLowerCase() + className.slice(1);
  return { word, packageName, exported: `${camel}Target`, className: `${className}Target` };
}

/** Puts the names into a text, or a path, of the template. */
export function withNames(text: string, names: TargetNames): string {
  return text
    .replaceAll("@example/dm-example-target", names.packageName)
    .replaceAll("example-target", names.word)
    .replaceAll("exampleTarget", names.exported)
    .replaceAll("ExampleTarget", names.className);
}
