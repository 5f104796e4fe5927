//! What the host tells the compiler: its capabilities, and which environment variables may be read.
//!
//! Made once per configuration by the filter or a tool, on the main thread.

/// The environment variable that limits what `env()` may read: names separated by commas.
pub const ENV_ALLOW_VARIABLE: &str = "RUSTFORMATIONS_ENV_ALLOW";

/// Host abilities that not every Envoy has. A configuration that needs a missing one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Capabilities {
    /// Dynamic metadata can hold numbers.
    pub metadata_number: bool,
    /// Dynamic metadata can hold booleans.
    pub metadata_bool: bool,
    /// Dynamic metadata can hold lists of scalars.
    pub metadata_list: bool,
    /// Dynamic metadata can hold values that nest: objects, and lists of anything.
    pub metadata_struct: bool,
    /// A header can be given another line, also where lines cannot be joined into one.
    pub header_lines: bool,
    /// The Envoy, by major and minor version, whose attributes the host knows: see
    /// [`Attribute::since`](crate::Attribute::since). Templates that read others are warned about.
    pub attributes_of_envoy: (u16, u16),
}

impl Capabilities {
    /// A host that can do everything.
    pub const fn all() -> Capabilities {
        Capabilities {
            metadata_number: true,
            metadata_bool: true,
            metadata_list: true,
            metadata_struct: true,
            header_lines: true,
            attributes_of_envoy: (u16::MAX, u16::MAX),
        }
    }

    /// What modules can do in an Envoy of this major and minor version, for whoever checks configurations
    /// away from one.
    pub const fn of_envoy(envoy: (u16, u16)) -> Capabilities {
        let (major, minor) = envoy;
        let mut capabilities = Capabilities::none();
        capabilities.metadata_number = true;
        capabilities.attributes_of_envoy = envoy;
        capabilities.header_lines = major > 1 || minor >= 37;
        capabilities.metadata_bool = major > 1 || minor >= 38;
        capabilities.metadata_list = capabilities.metadata_bool;
        capabilities.metadata_struct = major > 1 || minor >= 40;
        capabilities
    }

    /// A host that can do only what every supported Envoy can.
    pub const fn none() -> Capabilities {
        Capabilities {
            metadata_number: false,
            metadata_bool: false,
            metadata_list: false,
            metadata_struct: false,
            header_lines: false,
            attributes_of_envoy: (1, 36),
        }
    }
}

/// Input to [`Program::compile`](crate::Program::compile) beside the configuration itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CompileOptions {
    /// What the host can do.
    pub capabilities: Capabilities,
    /// The names that `env()` may read at most; `None` allows every name. A configuration's
    /// `envAllow` can narrow this list, never widen it.
    pub env_allow: Option<Vec<String>>,
}

impl Default for CompileOptions {
    fn default() -> Self {
        CompileOptions {
            capabilities: Capabilities::all(),
            env_allow: None,
        }
    }
}

impl CompileOptions {
    /// The defaults, with the allow-list of [`ENV_ALLOW_VARIABLE`] if that is set. Set but empty
    /// means that nothing may be read.
    pub fn from_process() -> CompileOptions {
        let env_allow = std::env::var(ENV_ALLOW_VARIABLE).ok().map(|names| {
            names
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect()
        });
        CompileOptions {
            env_allow,
            ..CompileOptions::default()
        }
    }
}
