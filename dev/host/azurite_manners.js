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

// Each request walked through all that its stores hold: they look for the account first, of which there is one, and
// sort every index anew after a removal, also of nothing.
const { Collection, Resultset } = require("lokijs");
const { findAnd } = Resultset.prototype;
const isCommon = (condition) => "accountName" in condition || "account" in condition;
Resultset.prototype.findAnd = Resultset.prototype.$and = function (conditions) {
  return findAnd.call(this, [...conditions].sort((one, other) => isCommon(one) - isCommon(other)));
};
Collection.prototype.removeBatchByPositions = function (positions) {
  positions.map((position) => this.data[position]).forEach((document) => this.remove(document));
};
