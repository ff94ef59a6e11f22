import { exploreTest } from "@blkstack/explorer";
import { WaitQueue } from "@blkstack/task";

const test = exploreTest(
  () => {
    const mailbox = new WaitQueue("mailbox");
    let hasMail = false;
    return {
      tasks: {
        async reader(task) {
          await mailbox.waitUntil(task, () => hasMail);
        },
        writer() {
          hasMail = true;
          mailbox.wakeAll();
        },
      },
    };
  },
  { require: "proof" },
);

await test({ name: "mail" });
console.log("every schedule ends");
