import AsyncHTTPClient
import Conversation
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import execora_gateway
