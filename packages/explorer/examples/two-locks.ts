import { defineScenario, explore } from "@blkstack/explorer";
import { Mutex } from "@blkstack/task";

const transfer = defineScenario({
  name: "transfer",
  summary: "two tasks move money between two accounts, each with a lock",
  variants: {
    crossing: { expect: "DEADLOCK", summary: "each locks its own account first" },
    ordered: { expect: "ok", summary: "both lock account A first" },
  },
  build(world, variant) {
    const [a, b] = [new Mutex("A"), new Mutex("B")];
    const move = (name: string, first: Mutex, second: Mutex): void => {
      world.spawn(name, async (task) => {
        await first.lock(task);
        await second.lock(task);
        second.unlock(task);
        first.unlock(task);
      });
    };
    move("alice", a, b);
    if (variant === "crossing") move("bob", b, a);
    else move("bob", a, b);
  },
});

for (const variant of ["crossing", "ordered"]) {
  const { story } = await explore(transfer, variant);
  console.log(story);
}
