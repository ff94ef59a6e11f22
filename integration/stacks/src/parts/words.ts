import type { Below, LineSetting, ModelDevice, Need, StackLine } from "../stack-part.ts";

/** The word at `index`; throws a RangeError when there is none. */
function wordAt({ words }: LineSetting, index: number): string {
  const word = words[index];
  if (word === undefined) throw new RangeError(`a line has no word ${String(index + 1)}`);
  return word;
}

export function numberAt(setting: LineSetting, index: number): number {
  return Number(wordAt(setting, index));
}

export function belowAt(setting: LineSetting, index: number): ModelDevice {
  return setting.below(wordAt(setting, index));
}

/** The first of what a line was given; throws a RangeError when it was given nothing. */
export function firstOf(below: readonly Below[]): Below {
  const [first] = below;
  if (first === undefined) throw new RangeError("a line stands on nothing");
  return first;
}

/** A line on a range of its own length: `DEVICE OFFSET` and some more words. */
export function onRange(
  more: readonly (string | number)[] = [],
  others: Partial<StackLine> = {},
): StackLine {
  return {
    needs: ({ sizeSectors }) => [{ sectors: sizeSectors }],
    words(below) {
      const { name, startSector } = firstOf(below);
      return [name, startSector, ...more];
    },
    ...others,
  };
}

/** All of something, as long as reaches to the end of the line. */
export function wholeTo(endSector: number, isSolid = false): Need {
  return { sectors: endSector, isWhole: true, isSolid };
}
