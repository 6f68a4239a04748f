// Loaded into Azurite before it starts: it has to end with whoever started it, and without delay, and to answer always.
const { Server } = require("node:http");

// Standard input is a pipe that the parent holds open, so the end of it is the end of the parent, however that came.
// `unref`, because listening to it must not keep Azurite alive.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume().unref();

// Azurite closes its servers, saves its state, and then waits until every client hangs up, which clients may never do.
const { close } = Server.prototype;
Server.prototype.close = function (...args) {
  close.apply(this, args);
  this.closeAllConnections();
  return this;
};

// Its garbage collection answers nobody for minutes once ten minutes of tests have filled it; in memory nothing is
// kept for long, so there it does not collect.
if (process.argv.includes("--inMemoryPersistence")) {
  for (const service of ["blob", "queue"]) {
    const name = `${service[0].toUpperCase()}${service.slice(1)}GCManager`;
    require(`azurite/dist/src/${service}/gc/${name}.js`).default.prototype.markSweep = async () => {};
  }
}
