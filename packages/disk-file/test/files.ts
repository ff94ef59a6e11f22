import * as fs from "node:fs";
import type { Files } from "../src/files.ts";

/** One call that a test lets go on, or fails, when it wants. */
export interface HeldCall {
  readonly name: string;
  /** Lets the real call happen, and answers when it has. */
  release(): Promise<void>;
  /** Answers with an error instead. */
  fail(code: string): void;
}

/** An error as `node:fs` makes them. */
export function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made by a test`), { code });
}

/** The real calls, which note their names in `story` as they begin (`>`) and end (`<`). */
export function recordingFiles(story: string[]): Files {
  const note = (text: string): void => void story.push(text);
  return {
    ...fs,
    readSync(...args) {
      note("read");
      return fs.readSync(...args);
    },
    writeSync(...args) {
      note("write");
      return fs.writeSync(...args);
    },
    writev(fd, views, position, done) {
      note(">writev");
      fs.writev(fd, views, position, (error, count) => {
        note("<writev");
        done(error, count);
      });
    },
    fdatasync(fd, done) {
      note(">fdatasync");
      fs.fdatasync(fd, (error) => {
        note("<fdatasync");
        done(error);
      });
    },
  };
}

/** The real calls, but the asynchronous ones wait in `held` until the test decides. */
export function holdingFiles(held: HeldCall[]): Files {
  const hold = (
    name: string,
    go: (resolve: () => void) => void,
    answer: (error: NodeJS.ErrnoException) => void,
  ): void => {
    held.push({
      name,
      release: () =>
        new Promise((resolve) => {
          go(resolve);
        }),
      fail: (code) => {
        answer(errno(code));
      },
    });
  };
  return {
    ...fs,
    readv(fd, views, position, done) {
      const go = (resolve: () => void): void => {
        fs.readv(fd, views, position, (error, count) => {
          done(error, count);
          resolve();
        });
      };
      hold("readv", go, (error) => {
        done(error, 0);
      });
    },
    writev(fd, views, position, done) {
      const go = (resolve: () => void): void => {
        fs.writev(fd, views, position, (error, count) => {
          done(error, count);
          resolve();
        });
      };
      hold("writev", go, (error) => {
        done(error, 0);
      });
    },
    fdatasync(fd, done) {
      const go = (resolve: () => void): void => {
        fs.fdatasync(fd, (error) => {
          done(error);
          resolve();
        });
      };
      hold("fdatasync", go, done);
    },
  };
}
