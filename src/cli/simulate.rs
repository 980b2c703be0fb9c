//! `kinset simulate`

use super::args::SimulateArguments;
use super::failure::Failure;
use super::wiring::shutdown_on_signals;
use super::{Status, output};
use crate::tracker::simulator::{World, run as serve};

pub(super) async fn run(arguments: &SimulateArguments) -> Result<Status, Failure> {
    let world = World::read(&arguments.world)?;
    let shutdown = shutdown_on_signals()?;
    let mut announced = Ok(());
    let announce = |address| announced = output::data(|out| writeln!(out, "listening on http://{address}"));
    serve(arguments.listen, world, announce, shutdown.requested()).await?;
    announced.map(|()| Status::Done)
}
