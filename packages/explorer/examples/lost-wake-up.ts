import { exploreTest } from "@blkstack/explorer";
import { AccessMode, WaitQueue } from "@blkstack/task";

const test = exploreTest(() => {
  const mailbox = new WaitQueue("mailbox");
  let hasMail = false;
  return {
    tasks: {
      async reader(task) {
        const isEmpty = !hasMail;
        const look = { object: mailbox, mode: AccessMode.Read, label: "looks into the mailbox" };
        await task.scheduler.mayPreempt(task, look);
        if (isEmpty) await mailbox.sleep(task);
      },
      writer() {
        hasMail = true;
        mailbox.wakeAll();
      },
    },
  };
});

await test({ name: "mail" }).catch((error: unknown) => {
  console.log((error as Error).message);
});
