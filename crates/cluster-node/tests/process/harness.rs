//! Running the binary in a folder of its own, with nothing but the given environment.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A working directory that vanishes with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cluster-node-process-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cluster-node"));
        command.args(arguments).current_dir(&self.0).env_clear();
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = folder.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Reads the banner: six lines, the last one tells how to add a node.
    pub(crate) fn banner(&mut self) -> String {
        let mut text = String::new();
        while !text.contains("add a node") {
            assert_ne!(
                self.output.read_line(&mut text).unwrap(),
                0,
                "it ended: {text}"
            );
        }
        text
    }

    /// The next line of the output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it ended");
        line
    }

    /// Reads the log until a line contains `words`.
    pub(crate) fn logged(&mut self, words: &str) {
        let mut log = BufReader::new(self.child.stderr.as_mut().unwrap());
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(
                log.read_line(&mut line).unwrap(),
                0,
                "it ended without {words:?}"
            );
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Sends a signal now and then until the process has ended.
    pub(crate) fn signal_until_it_ends(&mut self, name: &str) {
        while self.child.try_wait().unwrap().is_none() {
            let id = self.child.id().to_string();
            // It may end between the question and the signal.
            let _ = Command::new("kill").args(["-s", name, &id]).output();
        }
    }

    /// Waits for the end and answers the rest of the output and of the log.
    pub(crate) fn end_with_output(mut self) -> (String, String) {
        let mut output = String::new();
        self.output.read_to_string(&mut output).unwrap();
        (output, self.end().1)
    }

    /// Waits for the end and answers the exit code and the rest of the log.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Holds a port.
pub(crate) fn busy_port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    (listener, port)
}

/// The flags of a node that gets in nobody's way.
pub(crate) const QUIET: [&str; 8] = [
    "--host",
    "127.0.0.1",
    "--port",
    "0",
    "--proxy-host",
    "127.0.0.1",
    "--proxy-port",
    "0",
];
