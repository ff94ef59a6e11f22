import { defineTarget, MapResult } from "@blkstack/block";

/** Maps a range onto a lower device, last sector first: each bio must be one sector long. */
const backwards = defineTarget({
  name: "backwards",
  version: [1, 0, 0],
  apiVersion: 1,
  create({ args: [name = ""], argumentCount, begin, openDevice, sizeSectors }) {
    argumentCount(1);
    const device = openDevice(name);
    return {
      maxIoSectors: 1,
      map(bio) {
        bio.device = device;
        bio.sector = sizeSectors - 1 - (bio.sector - begin);
        return MapResult.Remapped;
      },
      status: (kind) => (kind === "table" ? device.name : ""),
    };
  },
});

console.log(`target ${backwards.name} ${backwards.version.join(".")}`);
