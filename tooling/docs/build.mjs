// `pnpm docs:site`: the pages in docs/, the README of every package, and a reference of what each
// exports, as one static site in docs-site/. Its tools are installed when it is first run.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");

if (!existsSync(join(here, "node_modules/typedoc"))) {
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: here, stdio: "inherit" });
}
const { Application, Converter, MinimalSourceFile, ReflectionKind } = await import("typedoc");

/** What can be imported: of each entry point the source file, the name it goes by, and its package. */
const entryPoints = new Map(
  readdirSync(join(root, "packages")).flatMap((each) => {
    const folder = join(root, "packages", each);
    const { name, exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return Object.entries(exports).flatMap(([path, { "@blkstack/source": source }]) =>
      source === undefined
        ? []
        : [[join(folder, source), { name: posix.join(name, path), folder, isWhole: path === "." }]],
    );
  }),
);

const app = await Application.bootstrap({
  name: "blkstack",
  out: join(root, "docs-site"),
  tsconfig: join(here, "tsconfig.json"),
  entryPoints: [...entryPoints.keys()],
  readme: join(root, "README.md"),
  projectDocuments: [
    "{ARCHITECTURE,CONTRIBUTING}.md",
    "docs/*.md",
    "{apps/blkstack,examples}/README.md",
    "packages/*/docs/*.md",
  ].map((pattern) => join(root, pattern)),
  // The compiler has a command of its own.
  skipErrorChecking: true,
  // What is not exported is so on purpose.
  validation: { notExported: false },
  disableSources: true,
  excludePrivate: true,
  navigation: { includeFolders: false },
});

// Of what our pages show, TypeDoc knows all but the files of systemd.
const languages = app.options.getValue("highlightLanguages");
app.options.setValue("highlightLanguages", [...languages, "ini"]);

/** Takes the title off the front of a page: the site shows it above. */
function takeTitle(content) {
  let title = "";
  while (content.length > 0) {
    const [line, ...rest] = content[0].text.split("\n");
    title += line;
    content[0].text = rest.join("\n");
    if (rest.length > 0) break;
    content.shift();
  }
  return title.replace(/^# /, "").replaceAll("`", "");
}

app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
  const { files } = page.project;
  page.name = takeTitle(page.content);
  const file = files.getReflectionPath(page);
  if (basename(file) === "README.md") files.registerReflectionPath(dirname(file), page);
});

// Modules go by the name by which they are imported, and begin with the README of their package.
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
    const { name, folder, isWhole } = entryPoints.get(project.files.getReflectionPath(module));
    module.name = name;
    if (!isWhole) continue;
    const file = join(folder, "README.md");
    const source = new MinimalSourceFile(readFileSync(file, "utf8"), file);
    module.readme = app.converter.parseRawComment(source, project.files).content;
    takeTitle(module.readme);
    for (const path of [file, folder]) project.files.registerReflectionPath(path, module);
  }
});

const project = await app.convert();
if (project === undefined) process.exit(1);
app.validate(project);
await app.generateOutputs(project);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
