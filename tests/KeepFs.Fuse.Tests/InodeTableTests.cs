using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Testing;

namespace KeepFs.Fuse.Tests;

public sealed class InodeTableTests : IAsyncDisposable
{
    private readonly MemoryFileSystem _tree = new(TimeProvider.System);
    private readonly InodeTable _table;

    public InodeTableTests() => _table = new InodeTable(_tree.Root);

    public ValueTask DisposeAsync() => _tree.DisposeAsync();

    [Fact]
    public void Root_is_number_one_and_never_forgotten()
    {
        _table.Forget(InodeTable.RootNodeId, 100);

        Assert.True(_table.TryGet(InodeTable.RootNodeId, out var node));
        Assert.Same(_tree.Root, node);
    }

    [Fact]
    public async Task Node_stays_until_each_answer_is_taken_back()
    {
        var file = await _tree.Root.CreateFileAsync("f", CancellationToken.None);
        var nodeId = _table.Remember(file, InodeTable.RootNodeId, "f");
        Assert.Equal(nodeId, _table.Remember(file, InodeTable.RootNodeId, "f"));

        _table.Forget(nodeId, 1);
        Assert.True(_table.TryGet(nodeId, out var node));
        Assert.Same(file, node);

        _table.Forget(nodeId, 1);
        Assert.False(_table.TryGet(nodeId, out _));
        Assert.Equal(1, _table.Count);
    }

    [Fact]
    public async Task Root_with_another_id_changes_places_with_number_one()
    {
        var other = (IDirectoryNode)await _tree.Root.CreateDirectoryAsync("d", CancellationToken.None);
        var table = new InodeTable(other);

        Assert.Equal(InodeTable.RootNodeId, table.NodeIdOf(other));
        Assert.Equal(1UL, _tree.Root.Id);
        Assert.Equal(other.Id, table.NodeIdOf(_tree.Root));
    }

    [Fact]
    public void Listing_is_current_until_a_change_is_announced()
    {
        Assert.False(_table.IsListingCurrent(InodeTable.RootNodeId));
        _table.Listed(InodeTable.RootNodeId, _table.Changes(InodeTable.RootNodeId));
        Assert.True(_table.IsListingCurrent(InodeTable.RootNodeId));

        var before = _table.Changes(InodeTable.RootNodeId);
        _table.Changed(InodeTable.RootNodeId);
        _table.Listed(InodeTable.RootNodeId, before);

        Assert.False(_table.IsListingCurrent(InodeTable.RootNodeId));
    }

    [Fact]
    public void Million_nodes_cost_less_than_100_bytes_each_and_are_given_back()
    {
        const int Count = 1_000_000;
        var nodes = Enumerable.Range(2, Count).Select(id => new Node((ulong)id)).ToArray();
        var before = GC.GetTotalMemory(forceFullCollection: true);

        foreach (var node in nodes)
        {
            _table.Remember(node, InodeTable.RootNodeId, "name");
        }

        Assert.InRange((GC.GetTotalMemory(forceFullCollection: true) - before) / Count, 0, 99);
        foreach (var node in nodes)
        {
            _table.Forget(node.Id, 1);
        }

        Assert.Equal(1, _table.Count);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 1 << 20);
        GC.KeepAlive(nodes);
    }

    private sealed class Node(ulong id) : INode
    {
        public ulong Id => id;

        public ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask SyncAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
