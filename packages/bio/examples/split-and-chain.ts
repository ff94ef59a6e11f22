import {
  Bio,
  bioEndio,
  bioError,
  BioOp,
  BioStatus,
  chainBio,
  splitBio,
  statusName,
} from "@blkstack/bio";

const bio = new Bio();
bio.device = { name: "md0" };
bio.op = BioOp.Discard;
bio.sector = 100;
bio.sizeBytes = 20 * 512;
bio.endIo = ({ status }) => {
  console.log(`the whole ended: ${statusName(status)}`);
};

// The stripe ends at sector 107: what lies before it becomes a bio of its own.
const front = new Bio();
splitBio(bio, 7, front);
chainBio(front, bio);
console.log(`front ${String(front)}, rest ${String(bio)}`);

bioEndio(bio);
console.log("the rest has ended");
bioError(front, BioStatus.Medium);
