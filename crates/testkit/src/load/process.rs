//! A child process: what it costs, and its end.

use super::error::Failed;
use super::now;
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;
use std::{fs, io};

/// A process that ends with its owner.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// [`Failed::Io`] naming the program.
    pub fn start(command: &mut Command) -> Result<Self, Failed> {
        let doing = format!("starting {}", command.get_program().to_string_lossy());
        Ok(Process { child: command.spawn().map_err(Failed::io(doing))? })
    }

    /// Its standard output, if it was piped and not taken before.
    pub fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Processor time of all its threads so far, user and system, in steps of the kernel's clock tick (10 ms).
    ///
    /// # Errors
    /// [`Failed::Io`] if it has ended.
    pub fn cpu(&self) -> Result<Duration, Failed> {
        cpu(self.child.id()).map_err(Failed::io("reading the server's processor time"))
    }

    /// Its largest resident memory in bytes since the last [`Process::forget_peak`].
    ///
    /// # Errors
    /// [`Failed::Io`] if it has ended.
    pub fn peak_memory(&self) -> Result<u64, Failed> {
        status_bytes(self.child.id(), "VmHWM:").map_err(Failed::io("reading the server's memory"))
    }

    /// Its resident memory in bytes.
    ///
    /// # Errors
    /// [`Failed::Io`] if it has ended.
    pub fn memory(&self) -> Result<u64, Failed> {
        status_bytes(self.child.id(), "VmRSS:").map_err(Failed::io("reading the server's memory"))
    }

    /// Starts a new peak. Where the kernel does not allow that, peaks are those since the start.
    pub fn forget_peak(&self) {
        let _ = fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
    }

    /// Asks it to stop (SIGTERM) and waits; kills it when `limit` has passed.
    ///
    /// # Errors
    /// [`Failed::Late`] if it had to be killed.
    pub async fn stop(mut self, limit: Duration) -> Result<(), Failed> {
        let start = now();
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        while self.ended().is_none() {
            if now().saturating_sub(start) > limit {
                return Err(Failed::Late { waiting_for: "the server's end after SIGTERM".to_owned(), limit });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn no_such_field() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no such field in /proc")
}

fn cpu(pid: u32) -> io::Result<Duration> {
    let ticks = cpu_ticks(&fs::read_to_string(format!("/proc/{pid}/stat"))?).ok_or_else(no_such_field)?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Fields 14 and 15. The second field is the program's name in parentheses and may hold spaces and parentheses itself.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn status_bytes(pid: u32, field: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    kilobytes(&status, field).map(|kilobytes| kilobytes * 1024).ok_or_else(no_such_field)
}

fn kilobytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_past_hostile_names() {
        let stat = "42 (a) b (c)) S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 1000 1 1";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("nonsense"), None);
        assert_eq!(kilobytes("Name:\tx\nVmHWM:\t   1234 kB\nVmRSS:\t 5 kB\n", "VmHWM:"), Some(1234));
    }

    #[test]
    fn a_running_process_has_costs() {
        let pid = std::process::id();
        assert!(status_bytes(pid, "VmHWM:").unwrap() >= status_bytes(pid, "VmRSS:").unwrap() / 2);
        cpu(pid).unwrap();
    }
}
