import faulthandler,hashlib as Z,io,lzma,numpy as ee,os as et,signal,subprocess,sys as c,time as r,torch as e,torch.distributed as i,torch.nn.functional as h,traceback
from functools import partial as d
from pathlib import Path as o
from sentencepiece import SentencePieceProcessor
from torch import nn as ea
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as t
def eA():
 t=et.environ.get;s=int(t('RANK',0));o=int(t('WORLD_SIZE',1));r=int(t('LOCAL_RANK',0))
 if o<1 or 8%o:raise ValueError(f"WORLD_SIZE is {o}, wanted a divisor of 8 micro-batches")
 return s,o,r
def eB():
 global l,g,a;s,o,r=eA();t='gloo';n=e.device('cpu')
 if e.cuda.is_available():t='nccl';n=e.device('cuda',r);e.cuda.set_device(n)
 if o>1:i.init_process_group(t)
 g=s;a=o;l=n
def eC():
 if a>1:i.destroy_process_group()
def eD(t):
 if a>1:i.all_reduce(t)
 return t
def v(value):
 b=[value]*a
 if a>1:i.all_gather_object(b,value)
 return b
def k(value):
 if a==1:return value
 n=e.tensor(value,dtype=e.float64,device=l);i.all_reduce(n,i.ReduceOp.MAX);return n.item()
def eE(t):
 if t.grad is None:t.grad=e.zeros_like(t)
 return t.grad
def eF(r):
 o=[eE(t)for t in r]
 if a>1:
  f=e.cat([l.flatten()for l in o]);i.all_reduce(f);s=(f/a).split([l.numel()for l in o])
  for(l,n)in zip(o,s,strict=True):l.copy_(n.view_as(l))
def eG(o,n):
 if a>1:return i.reduce_scatter(o,list(n.chunk(a)),async_op=True)
 o.copy_(n)
def eH(n,o):
 if a>1:return i.all_gather(list(n.chunk(a)),o,async_op=True)
 n.copy_(o)
def eI(r):
 if r is not None:r.wait()
def eJ(s,o):
 if not s.s:return o,
 a=range(s.shape[0]//len(s.s));return tuple(t.format(n)for t in s.s for n in a)
def x(h):
 l=[]
 for s in h:
  if s.s:
   a=range(s.shape[0]//len(s.s))
   for(t,f)in zip(s.s,s.init,strict=True):l+=[(t.format(n),f,s)for n in a]
  else:l+=[(o,s.init,s)for o in s.d()]
 return l
def eK(o,t):
 if o.startswith('blocks.')and o.endswith('.weight'):n,e=o[len('blocks.'):-len('.weight')].split('.',1);return e,int(n)
 return t,0
def eL(a,h,r):
 for s in h:
  c=r if s.dtype=='activation'else e.float32
  for o in s.d():
   *d,n=o.split('.');t=a
   for i in d:
    if i not in t._modules:t.add_module(i,ea.ModuleList())
    t=t._modules[i]
   t.register_parameter(n,ea.Parameter(e.empty(s.shape,dtype=c,device=l)))
def eM(o):i=Z.sha256(f"{em}:{o}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(i[:7],'little'))
def eN(h,n):
 a=j(m.state_dict(),h)
 for(o,f,d)in x(h):l=e.empty(a[o].shape);f(l,eM(o),n);a[o].copy_(l)
def j(a,h):
 r=[]
 for s in h:
  for o in s.d():r+=a[o].unbind()if s.s else[a[o]]
 return{o:t for((o,d,d),t)in zip(x(h),r,strict=True)}
def q(tensor,generator,ledger):tensor.zero_()
def z(tensor,generator,ledger):tensor.fill_(1.)
def A(tensor,generator,ledger,value):tensor.fill_(value)
def eO(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eP:
 def __init__(a):c=[(m.get_parameter(o),eJ(s,o),s)for s in w for o in s.d()];a.tensors,a.names=B(c);a.replicated=[t for(t,h,s)in c if s.reduction=='replicated'];a.p,a.S=B([i for i in c if i[2].G]);r,e=B([i for i in c if i[2].group=='matrix']);oF(r,e);f=[(l,*B([i for i in c if i[2].group==l.name]))for l in(iu,im)];ox(f)
 @e.no_grad()
 def step(a,scalars,ledger):
  oB(a.tensors,a.names,ledger);oG();eF(a.replicated);oj(scalars,ledger);oH(scalars,ledger)
  for t in a.tensors:t.grad=None
def B(c):return[t for(t,h,s)in c],[h for(t,h,s)in c]
def eQ(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def eR(e):
 global er
 if er is None:er=eQ(ig)
 return er(e.bfloat16()if e.is_cuda else e.float(),5).bfloat16()
def eS(e,h):e=eR(e).contiguous();return e
def eT(t,e,h,s,o,n):eU(t,e,.025*o.o,s,o,n)
def eU(t,e,a,s,o,n):oD(t,a,o,n);t.add_(e,alpha=-a*s)
def eV(l,t,f):t.mul_(f).add_(l);return l.add(t,alpha=f)
def eW(t):return max(1,t.shape[-2]/t.shape[-1])**.5
def eX():
 a=''
 try:il()
 except(OSError,ValueError)as r:a=f"{ev}: {r}"
 for(s,t)in enumerate(v(a)):
  if t:raise ValueError(f"{t} (on rank {s})"if s else t)
def eY(t):
 if t is not None:s(f"prepared {ev}: {t}")
class Param(t):
 name:t;shape:t;group:t;q:t;init:t=None;c:t='';dtype:t='float32';layers:t=0;s:t=();reduction:t='replicated';v:t='';G:t=True;R:t=True;export:t='yes';n:t=0
 def d(a):return[a.name.format(n)for n in range(a.n,a.layers)]or[a.name]
class Group(t):name:t;lr:t;weight_decay:t=.0
class Phase(t):name:t;start:t;B:t=True;c:t=''
class C:
 def __init__(a):a.done={}
 def count(a,plugin,unit,number=1):a.done[plugin,unit]=a.done.get((plugin,unit),0)+number
 def i(a,r,t):a.done[r,'']=t
 def O(a,r):return', '.join(f"{s} {t}".strip()for((o,t),s)in a.done.items()if o==r and s)
def D(s,i,t):return(s/E(i)).round().clamp(-t,t).to(e.int8)
def E(i):return i[:,None]if i.ndim else i
def F(d,i,n):return(d.float()*E(i).float()).to(n)
def eZ(s):
 if s.ndim==2:i=(s.abs().amax(1)/31).clamp_min(1/31)
 else:i=s.abs().amax()/31;i=i if i>0 else i+1
 i=i.half();return D(s,i.float(),31),i
def te(s):t=s.abs();a=max(.03225806451612903,e.finfo(e.float16).tiny);i=[e.quantile(t,r,1)for r in(.999,.9995,.9999,.99999)];return[(o/31).clamp_min(a).half()for o in(*i,t.amax(1))]
def tt(s,d,i):return(s-F(d,i,e.float32)).square().mean()
def ta(s):
 if s.ndim==2:o=e.quantile(s.abs(),.9999984,1);i=(o/127).clamp_min(1/127);t=i.half()
 else:o=e.quantile(s.abs().flatten(),.9999984);t=i=o/127 if o>0 else o+1
 o=E(o);return D(s.clamp(-o,o),i,127),t
def to(s,n):
 if'kept'in s:return s['kept'].to(n)
 return F(s['codes'],s['step'],n)
def ti(r):r=r.clone();t=r.diagonal();m=t==0;t[m]=1.;t+=.0201*t.mean();return r,m
class tn:
 def __init__(a):a.r={}
 def __call__(a,e,n,i):i=i.flatten(0,-2).float();t=(i.T@i).double();f=e,n;a.r[f]=a.r[f].add_(t)if f in a.r else t
@e.no_grad()
def ts():
 t=tn();b={};a=0;m.eval()
 for r in ie():tr(r,S(),t);a+=1;an(f"calibration: batch {a}")
 m.train()
 if not a:raise ValueError('calibration found no batch of tokens')
 l={}
 for(o,d,s)in x(w):
  f=eK(o,s.v)
  if f in t.r:l[o]={'hessian':t.r[f]/a}
 l=oV(l);return{o:{f:c.float()for(f,c)in p.items()}for(o,p)in l.items()},a
def tr(r,c,t):m(r,r,phases=c,observe=t)
def th():return[o for(o,d,s)in x(w)if s.q in('attn','mlp')and s.export!='drop'and len(s.shape[bool(s.s):])==2 and s.shape[-1]*s.shape[-2]>65536]
@e.no_grad()
def tl():
 t=tn();a={};m.eval();c=tuple(l.name for l in p if l.B);tr(R()[0][:1,:64],c,t);m.train();i=th()
 for(o,d,s)in x(w):
  f=eK(o,s.v)
  if o in i and f not in t.r:raise ValueError(f"{o} needs input statistics, and the forward uses no matrix under its role {f[0]!r}")
  if o in i and f in a:raise ValueError(f"{o} and {a[f]} have the same role {f[0]!r}: wanted one matrix for each")
  a[f]=o
def G(o,a,n):
 t=et.environ.get(o,a)
 try:return n(t)
 except ValueError:raise ValueError(f"{o} is {t!r}, wanted a value like {a!r}")from None
def td():global el,ed,f,ec,iy,eu,em,ef,ib,iv;t=et.environ.get;el=t('DATA_PATH','./data/datasets/fineweb10B_sp1024');ed='export'in c.argv;f=G('ITERATIONS',20000,int);ec=G('MAX_WALLCLOCK_SECONDS',6e2,float);iy=t('RUN_ID',str(r.time_ns()));eu='score'in c.argv;em=G('SEED',1337,int);ef=t('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');ib=G('TRAIN_LOG_EVERY',200,int);iv=G('VAL_LOSS_EVERY',1000,int)
class Score(t):val_loss:t;u:t;P:t;j:t
def tc(a):
 if a.numel():raise ValueError(f"target {a[0]} of the validation stream is not scored")
def tu(a):r=b[a].to(l,e.int64);i=r[:,:-1].contiguous();return i,r[:,1:].contiguous(),tm()
def tm():return{}
def tf(t,y,a,f):
 o=a[:,1:];t[o[f]]=y;an(f"eval: batch {y}");i,r,h=tu(a);c=S()
 with e.set_grad_enabled(False):g=ij(i,r,phases=c,fields=h,reduction='none',adapter=None)
 m=ow(i,r,o.to(l));d=f.to(l);u=(g.detach().double()*16777216).round()/16777216;s=u*d,d,m*d;return g,e.stack([n.sum().double()for n in s])
def tp(t,o):
 if a>1:t=t.to(l);i.all_reduce(t,o)
 return t.cpu()
def tg(t,o,n):
 tc(1+(t[1:]==0).nonzero().flatten());u,a,m=eD(o).tolist()
 if a>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(u/a,u/.6931471805599453/m,int(a),1e3*(r.perf_counter()-n))
def tw(scored_at):
 if g==0:d=f"logs/{iy}.scores.npz";ee.savez_compressed(d,scored_at=scored_at.numpy())
class Span(t):start:t;end:t;n:t
def ty(t):return[Span(l,l+4096,0)for l in range(0,(t-1)//4096*4096,4096)]
def tb(t):return t[len(t)*g//a:len(t)*(g+1)//a]
def tv(d):a=e.are_deterministic_algorithms_enabled();i=d if a else tb(d);t=[i[l:l+16]for l in range(0,len(i),16)];return tb(t)if a else t
def tk(d):
 a=e.zeros(16,4097,dtype=e.int64);f=e.zeros(16,4096,dtype=e.bool)
 for(s,(l,o,n))in enumerate(d):a[s,:o+1-l]=e.arange(l,o+1);f[s,n:o-l]=True
 return a,f
def H(d):
 n=r.perf_counter();m.eval();t=e.zeros(len(b),dtype=e.int32);o=e.zeros(3,dtype=e.float64,device=l)
 for(s,h)in enumerate(tv(d),1):a,f=tk(h);o+=tf(t,s,a,f)[1]
 m.train();t=tp(t,i.ReduceOp.MAX);return tg(t,o,n),t
def tx():return{o:s.q for(o,d,s)in x(w)if s.export!='drop'}
def tj(a,c,f=0):
 n=r=tx();i={};l=tz(a,n,c)
 for(o,e)in n.items():
  if o in l:s=l[o]
  else:t=a[o];p=c.get(o,{});s=eh[e].encode(o,t,p,u)
  i[o]=tq(o,a[o],s,e,r[o])
 return tA(i)
def tq(o,t,s,e,r):
 n=t
 for l in(s,{'kept':n}):
  if t.isfinite().all()and tD(o,l,e,t.dtype).isfinite().all():return{f:c.cpu()for(f,c)in l.items()}
 raise ValueError(f"{o} does not stay finite: nothing is exported")
def tz(a,n,c):
 f={}
 for(o,e)in n.items():
  if e in('attn','mlp')and a[o].ndim==2 and a[o].numel()>65536:i,x=a[o].shape;f.setdefault((e,i,x),[]).append(o)
 l={}
 for((e,d,d),h)in f.items():r=[a[o]for o in h];p=[c.get(o,{})for o in h];t=eh[e];l|=zip(h,t.J(h,r,p),strict=True)
 return l
def tA(i):return i
def tB(i):return oh(ou(i))
def tC(data,a):
 i=2**20+sum(8*t.numel()+4096 for t in a.values())
 try:return om(ol(data,i))
 except Exception as r:raise ValueError(f"the artifact cannot be read: {str(r)[:99]!r}")from r
def tD(o,s,e,n):t=eh[e].decode(o,s,n);return t
def tE(i,a):
 n=tx()
 if i.keys()!=n.keys():raise ValueError("the artifact's tensors are not the model's")
 for(o,e)in n.items():
  try:t=tF(o,i[o],e,a[o].dtype)
  except Exception as r:raise ValueError(f"the artifact's {o} cannot be decoded: {r!r}")from r
  if t.shape!=a[o].shape:raise ValueError(f"{o}: shape {[*t.shape]}, wanted {[*a[o].shape]}")
  a[o].copy_(t)
def tF(o,s,e,n):return tD(o,s,e,n)
def tG(t):
 global ep,eg,ik;ik=g;ep=g==0;o('logs').mkdir(exist_ok=True);eg=o('logs',t+'.txt')
 if ep and not ed:eg.write_text('')
 c.excepthook=d(tI,eg);faulthandler.register(signal.SIGTERM,eg.open('a'),chain=True)
def s(t):
 if ep:
  print(t,flush=True)
  with eg.open('a')as a:print(t,file=a)
def tH(t):
 if ep:s(f"error: {t}")
 elif t not in eg.read_text():
  with eg.open('a')as a:print(f"rank {ik}: error: {t}",file=a)
def tI(path,kind,r,trace):
 with path.open('a')as a:traceback.print_exception(r,file=a)
 c.__excepthook__(kind,r,trace)
def tJ():
 i=Z.sha256(o(c.argv[0]).read_bytes()).hexdigest();t=f"hardware:{et.uname().machine} CPU, {e.get_num_threads()} threads"
 if l.type=='cuda':t=subprocess.getoutput('nvidia-smi')
 s(f"Running Python {c.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{i}\n{t}")
def I():return len(o(c.argv[0]).read_bytes())
ic='final_model.pt'
def J():return eh['mlp'].name
def tK():return o(f"final_model.{J()}.ptz")
def tL(i):
 a=j(m.state_dict(),w)
 if g==0:o('final_export.pt').unlink(missing_ok=True);K(d(e.save,a),'final_model.pt')
 c=tP(i)
 if g==0:l=c,u.done,y,ek,ey;K(d(e.save,l),'final_export.pt')
 tM(a,c)
def tM(a,c):
 r=al();n('diagnostic','val');s(f"diagnostic pre-quantization post-ema val_loss:{r.val_loss:.8f} val_bpb:{r.u:.8f} eval_time:{r.j:.0f}ms")
 if g==0:tR(a,c)
 k(.0);tT()
def K(s,d):
 t=o('final_model.tmp')
 try:
  s(t)
  with t.open('rb')as a:et.fsync(a.fileno())
  t.replace(d)
 finally:t.unlink(missing_ok=True)
def tN():
 global ey,ek,y;a=j(m.state_dict(),w);g=tO('final_model.pt');l=tO('final_export.pt');i=[o for o in a if o not in g or g[o].shape!=a[o].shape]
 if i:raise ValueError(f"final_model.pt is of another model: {i[0]} is missing or has another shape")
 for(o,t)in a.items():t.copy_(g[o])
 c,s,y,ek,ey=l;u.done.update(s);P(ey);tM(a,c)
def tO(d):
 try:return e.load(d,l,weights_only=True)
 except OSError:raise
 except Exception as r:raise ValueError(f"{d} is damaged: {str(r)[:99]!r}")from r
def tP(i):
 global ew;c={};ew=False
 if ew:V()
 c,t=ts()
 if ew:tQ(i)
 n('calibration','none'+f" batches:{t}");ew=False;return c
def tQ(i):
 t=1e3*ec;oJ();V();a=k(oK(i));P(a)
 if 0<t<a:ah(f"what reads training data ended at {a:.0f}ms, after the {t:.0f}ms of max_wallclock_seconds: build with more time in reserve")
def tR(a,c):i=tj(a,c,I());n('quantize','none');l=tB(i);n('compress','none');K(d(o.write_bytes,data=l),tK());t=f"{J()}+lzma";s(f"Serialized model: {o(ic).stat().st_size} bytes\nCode size: {I()} bytes\nSerialized model {t}: {len(l)} bytes\nTotal submission size {t}: {len(l)+I()} bytes")
def tS():
 a=j(m.state_dict(),w)
 for t in a.values():t.zero_()
 l=tK().read_bytes();i=Z.sha256(l).hexdigest()
 if eu:
  r=''.join(d.read_text()for d in o('logs').glob('*.txt'))
  if'artifact_sha256:'in r and i not in r:raise ValueError('the artifact is not that of the logs in logs/')
 s('artifact_sha256:'+i);tE(tC(l,a),a)
def tT():
 a=J()
 if l.type=='cuda':e.cuda.reset_peak_memory_stats()
 tS();n('decode','none');r,t=H(ty(len(b)));n('score','val');tU(f"{a}_lzma_roundtrip",r);r,t=H(ok(len(b)));n('score','val');tU(f"{a}_sliding_window",r);tw(t);u.count('sliding_eval','targets',r.P);s(f"eval: peak memory allocated: {e.cuda.max_memory_allocated()>>20} MiB")
def tU(t,r):s(f"final_{t} val_loss:{r.val_loss:.4f} val_bpb:{r.u:.4f} eval_time:{r.j:.0f}ms\nfinal_{t}_exact val_loss:{r.val_loss:.8f} val_bpb:{r.u:.8f}")
def tV():
 a=[l.c for l in p if l.name not in y];i=[r for(r,d)in u.done];e=False
 for o in iw:
  t=u.O(o)
  if o in('int8',):t=t or'nothing was left'
  if eu and o not in i:continue
  if t and o not in a:s(f"receipt {o}: {t}")
  else:s(f"error: plugin {o} did nothing");e=g==0
 return e
class Progress(t):step:t;K:t;x:t;k:t;U:t;o:t
class Scalars(t):o:t;F:t;momentum:t
def tW(i,a,l):o=a/l if l>0 else i/max(f,1);return Progress(i,f,a,l,o,1.)
class Context(t):
 ids:t;phases:t;training:t;g:t;memo:t;fields:t;m:t;observe:t;ledger:t
 def a(a,r,t,s=1):
  if a.ledger is not None:a.ledger.count(r,t,s)
def L(i):return h.rms_norm(i,(i.size(-1),),eps=1.1920929e-07)
def tX(i):return h.pad(i[:,:-1],(0,0)*(i.dim()-2)+(1,0))
def M(t):
 if'starts'in t.fields:return t.fields['starts']
 if'documents'not in t.fields:return
 f=t.fields['documents'];return h.pad(f[:,1:]!=f[:,:-1],(1,0))
def tY(s,e,t):s=oN(s,e,t);return s
def tZ(s,i,e,n,l,t):
 s=tY(s,e,t)
 if t.observe is not None:t.observe(e,n,i)
 return N(h.linear(i,s.to(i.dtype)),i,e,l,t)
def N(r,i,a,l,t):
 if t.m is not None and a in t.m.sites:r=r+t.m.delta(i,a,l)
 return r
def ae(a,i,t):
 if'rope'not in t.memo:s=a.size(1);o=a.size(3);n=a.device;l=i**(-e.arange(0,o,2,dtype=e.float32,device=n)/o);d=e.outer(e.arange(s,dtype=e.float32,device=n),l);t.memo['rope']=d.cos(),d.sin()
 c,h=(f[None,:,None,:].to(a.dtype)for f in t.memo['rope']);r,u=a.chunk(2,-1);return e.cat((r*c+u*h,u*c-r*h),-1)
class GPT(ea.Module):
 def __init__(a,h,r):super().__init__();a.records=h;eL(a,h,r)
 def matrices(a):return j(dict(a.named_parameters()),a.records)
 def h(a,i,e,n,l,t):return tZ(t.g[f"blocks.{n}.{e}.weight"],i,e,n,l,t)
 def stem(a,ids,ctx):i=h.embedding(ids,ctx.g['tok_emb.weight']);i=N(i,i,'embed',0,ctx);i=i+aq(ids,ctx);i=L(i);i=aV(i,ctx);return i
 def l(a,r,t):i=a.stem(r,t);return L(aU(a,i,i,t))
 def logits(a,x,ctx):s=oo(x,ctx);s=oa(s,ctx);return s
 def forward(a,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):e=fields or{};l={};fields={**l,**e};t=Context(ids,phases,a.training,a.matrices(),{},fields,adapter,observe,ledger);i=a.l(ids,t);s=a.logits(i,t);m=az(s,targets,reduction,t);return m
def at(t):
 t=o(t);a=sorted(d for d in t.parent.glob(t.name)if('_bytes_'in d.name)==('_bytes_'in t.name))
 if not a:raise ValueError(f"{t}: no shard matches, see DATA_PATH")
 return a
def aa(d):
 m=o(d).stat().st_size;t=ee.fromfile(d,'<i4',3).tolist()
 if m<=1024 or t!=[20240520,1,(m-1024)/2]:raise ValueError(f"{d}: {m} bytes and header {t}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return t[2]
def O(d):
 a=ee.memmap(d,'<u2','r',1024,aa(d))
 if a.max()>=1024:raise ValueError(f"{d}: token {a.argmax()} is {a.max()}, wanted an id below 1024")
 return a
def ao(t):
 a=ee.concatenate([O(d)for d in at(t)])
 if len(a)<=4096:raise ValueError(f"{t}: {len(a)} tokens, wanted at least 4097")
 return e.from_numpy(a[:(len(a)-1)//4096*4096+1])
def ai():global ey,ix,eb;ey=.0;ix=eb=r.perf_counter()
def P(a):global ix;ix=r.perf_counter()-a/1e3
def n(o,data):global ey,eb;t=1e3*(r.perf_counter()-ix);s(f"stage:{o} begin:{ey:.0f}ms end:{t:.0f}ms data:{data}");ey=t;eb=r.perf_counter()
def an(t):
 global eb
 if r.perf_counter()>eb+10:eb=r.perf_counter();s(t)
def ar(h,n):global ek,ij,u,m,w,y,ev,b,ew;w=h;u=n;y=();ev='';ai();ek=False;ew=not(eu or ed);r=e.bfloat16 if l.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;m=GPT(h,r);eN(h,n);ij=eQ(m);t=o(el,'fineweb_val_*.bin');b=ao(t);og(n);i=Z.sha256(b.numpy().data).hexdigest();s(f"val_loader:shards pattern={t} tokens:{len(b)-1}\nval_sha256:{i}")
def Q(n):t=o(el,'fineweb_train_*.bin');oy(t,n)
def R():
 if not ew:raise ValueError('training data are closed: training time is over')
 h=ov();i,r=(n.to(l,non_blocking=True)for n in h);return i,r,{}
def ah(t):global ek;s(f"error: {t}");ek=True
def S():return tuple(l.name for l in p if l.B and l.name in y)
def al():return H(ty(len(b)))[0]
def ad(c):
 t=[()]
 for l in c:t+=[(*r,l.name)for r in t]
 return t
def ac():
 i,r,h=R();i,r=i[:1,:512],r[:1,:512];h={o:c[:1,:512]for(o,c)in h.items()};t=tuple(l.name for l in p);m(i,r,phases=t,fields=h,ledger=u).backward()
 for s in w:a=sum(m.get_parameter(o).grad is not None for o in s.d());u.count(s.c,'trained tensors',a)
 m.zero_grad()
def au():
 a=m.state_dict();n={o:t.clone()for(o,t)in a.items()};g=eP();l=C();Q(l);c=p
 for r in ad(c):
  for i in range(20):aw(g,r,Scalars(1.,1.,.9),l);s(' '.join((f"warmup_step:{i+1}/20",*r)))
 for(o,t)in a.items():t.copy_(n[o])
 e.manual_seed(em);Q(u)
def am(h):
 try:td();eB();n=C();tG(v(iy)[0])
 except(OSError,ValueError)as r:print(f"error: {r}",file=c.stderr);c.exit(2)
 e.manual_seed(em);e.backends.cuda.matmul.allow_tf32=True
 if ec==0:ap()
 tJ();s('plugins:'+' '.join(iw));af(h,n)
 if ew:
  ag();ac();au();i=av()
  try:tL(i)
  except(OSError,ValueError)as r:tH(str(r));c.exit(f"error: rank {g}: {r}")
 t=tV()or ek;eC()
 if t:c.exit(1)
def af(h,n):
 global y
 try:
  ar(h,n);eX()
  if ed:tN()
  elif eu:y=tuple(l.name for l in p);tT()
  else:Q(C());tl()
  return
 except(OSError,ValueError)as r:
  tH(str(r))
  if not ed:eC()
  c.exit(2)
def ap():et.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def ag():s(f"model_params:{sum(t.numel()for t in m.parameters())}\nworld_size:{a} grad_accum_steps:{8//a}\nseed:{em}\ntrain_batch_tokens:786432 train_seq_len:4096 iterations:{f} warmup_steps:20 max_wallclock_seconds:{ec:.3f}")
def aw(g,c,o,n):
 t=8//a;e=.0
 for d in range(t):i,r,h=R();m=ij(i,r,phases=c,fields=h)/t;e+=m.detach();m.backward()
 g.step(o,n);return e
def ay(i,a,l):
 global y;t=tW(i,a,l);o=Scalars(1.,1.,.0);o=oC(t,o);o=oM(t,o)
 if eo.name not in y and eo.start(t._replace(o=o.o)):y=tuple(r.name for r in p if r.name in y or r is eo);u.i(eo.c,f"on at step {i}");s(f"phase {eo.name} on at step:{i} train_time:{a:.0f}ms")
 return o
def ab():return 1e3*ec
def av():
 g=eP();oq(g.p);l=ab();i=0;a=.0;V()
 while True:
  c=i==f or 0<l<=a
  if c or iv>0 and i%iv==0:
   oJ();r=al();ak(i,f"val_loss:{r.val_loss:.4f} val_bpb:{r.u:.4f}",a)
   if c:break
   V()
  o=ay(i,a,l);m=aw(g,y,o,u);i+=1;oz(g.p,i,o);a=k(oK(i))
  if ib>0 and(i<=10 or i%ib==0):
   ak(i,f"train_loss:{m:.4f}",a)
   if m!=m:raise ValueError('the training loss is not a number')
 if i<f:s(f"stopping_early: wallclock_cap train_time:{a:.0f}ms step:{i}/{f}")
 t=e.cuda.max_memory_allocated()>>20;d=e.cuda.max_memory_reserved()>>20;s(f"peak memory allocated: {t} MiB reserved: {d} MiB");oA(g.p);P(a);n('train','train');return i
def ak(i,t,a):s(f"step:{i}/{f} {t} train_time:{a:.0f}ms step_avg:{a/max(i,1):.2f}ms")
def ax(i,s,a,t):t.a('additive_skips','skips');return i+t.g['skip_weights'][a].to(i.dtype)*s
def aj(o,t):
 s=e.bitwise_xor(36313*o[:,1:],27191*o[:,0:-1]);a=h.pad(s%3071,(1,0),value=3071);i=M(t)
 if i is not None:r=i;a=a.masked_fill(r,3071)
 return a
def aq(o,t):t.a('bigram_hash','lookups');f=t.g['bigram.embed.weight'];i=h.embedding(aj(o,t),f);a=h.linear(i,t.g['bigram.proj.weight'].to(i.dtype));return a*t.g['bigram.scale'].to(i.dtype)
def az(a,i,reduction,t):t.a('cross_entropy','losses');m=h.cross_entropy(a.flatten(0,1).float(),i.flatten(),reduction=reduction);return m.view_as(i)if reduction=='none'else m
def aA(i,a,n,l,t):t.a('leaky_relu2','layers');o=h.leaky_relu(i.h(a,'mlp.fc',n,l,t),.5).square();return i.h(o,'mlp.proj',n,l,t)
def aB(a,n,t):t.a('ln_scale','branches');s=(n+1)**-.5;return a*s
def aC(s):t=max(s/1024,1.)**(16/14);return 1e4*t
def aD(a,t):t.a('ntk_rope','rotations');s=t.fields['segments'][0].size(1)if'segments'in t.fields else a.size(1);i=ae(a[...,:16],aC(s),t);return e.cat((i,a[...,16:]),-1)
def T(tensor,generator,ledger):
 if min(tensor.shape)>=64:ea.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator)
def aE(a,s,n,t):
 if n<6:return a,s
 t.a('pko','layers');o=s[...,16:];r=e.cat((o[:,:1],o[:,:-1]),dim=1);i=M(t)
 if i is not None:r=e.where(i[:,:,None,None],o,r)
 return a,e.cat((s[...,:16],r),dim=-1)
def aF(a,s,n,t):t.a('qk_gain','layers');i=t.g[f"blocks.{n}.attn.q_gain"].to(a.dtype);return a*i[:,None],s
def aG(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def aH(i,a,s,c,n,l,t):return aI(i,a,s,c,n,l,t)
def aI(i,a,s,c,n,l,t):
 if'attention'in t.fields:h=t.fields['attention'];r=h(i,a,s,c,n,l,t);return r
 return U(a,s,c,n,t)
def aJ(i,a,n,l,t):o=i.h(a,'attn.c_q',n,l,t);m=i.h(a,'attn.c_k',n,l,t);u=i.h(a,'attn.c_v',n,l,t);u=on(u,n,t);o=aD(L(e.unflatten(o,2,(8,-1))),t);m=aD(L(e.unflatten(m,2,(4,-1))),t);u=e.unflatten(u,2,(4,-1));o,m=aE(o,m,n,t);o,m=aF(o,m,n,t);r=aH(i,o,m,u,n,l,t);r=os(r,u,n,t);r=i.h(r.flatten(2),'attn.proj',n,l,t);return N(r,a,'attn',l,t)
def aK(a,s,c,i,t):
 o=a.transpose(1,2);m=s.transpose(1,2);u=c.transpose(1,2)
 if i<0 or i>=o.size(2)-1:l=o.size(1)!=m.size(1);return h.scaled_dot_product_attention(o,m,u,is_causal=True,enable_gqa=l).transpose(1,2)
 return aL(a,s,c,aM(o.size(2),i,o.device,t))
def aL(a,s,c,d):o=a.transpose(1,2);m=s.transpose(1,2);u=c.transpose(1,2);i=o.size(1)//m.size(1);m=m.repeat_interleave(i,1);u=u.repeat_interleave(i,1);return h.scaled_dot_product_attention(o,m,u,attn_mask=d).transpose(1,2)
def aM(s,i,device,t):
 f='window',i
 if f not in t.memo:a=e.arange(s,device=device);r=a[:,None]-a[None,:];t.memo[f]=(r>=0)&(r<=i)
 d=t.memo[f];return d
def aN(i,s,n,t):a=t.g[f"blocks.{n}.resid_mix"].to(i.dtype);return a[0]*i+a[1]*s
def aO(i,n,t):a=L(i);a=aB(a,n,t);return a
def aP(i,a,n,l,t):o=aJ(i,a,n,l,t);return t.g[f"blocks.{n}.attn_scale"].to(a.dtype)*o
def aQ(i,a,n,l,t):o=aA(i,a,n,l,t);o=N(o,a,'mlp',l,t);return t.g[f"blocks.{n}.mlp_scale"].to(a.dtype)*o
def aR(i,o,s,n,l,t):r=aN(o[0],s,n,t);r=r+aP(i,aO(r,n,t),n,l,t);return r+aQ(i,aO(r,n,t),n,l,t),
def aS(o,s,a,n,t):
 if s is None:return o
 return ax(o[0],s,a,t),*o[1:]
def aT(i,o,s,t):
 e,f=oi(t.phases);t.a('unet_plan','steps over 11 layers',len(e)+len(f));r=[]
 for(l,n)in enumerate(e):o=aR(i,o,s,n,l,t);r.append(o[0])
 for(a,n)in enumerate(f):o=aS(o,r.pop()if r else None,a,n,t);o=aR(i,o,s,n,len(e)+a,t)
 return o
def aU(i,a,o,t):t.a('sequential_wiring','walks');return aT(i,(a,),o,t)[0]
def aV(a,t):
 t.a('smear_gate','blends');o=tX(a);i=M(t)
 if i is not None:o=o.masked_fill(i[...,None],0)
 s=e.sigmoid(t.g['smear.gate']).to(a.dtype);return(1-s)*a+s*o
def aW():
 if l.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as t;return'flash-attn 3',t
 except ImportError:
  try:from flash_attn import flash_attn_func as t;return'flash-attn 2',t
  except ImportError:return aZ(),None
def aX(t,a,s,c,i):r=t(a,s,c,causal=True,window_size=(i,0));return r[0]if isinstance(r,tuple)else r
def aY(o,a,s,c,i,t):
 if o is not None:return aX(o,a,s,c,i)
 return aK(a,s,c,i,t)
def aZ():t=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not t);e.backends.cuda.enable_flash_sdp(t);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if t else'cuDNN'
def oe():
 def t(h,head,query,key):return(query>=key)&(query-key<=256)
 return t
def ot():
 global ei;o,ei=aW()
 if l.type!='cuda'or ei is not None:return o
 for s in(4096,4096):t=oe();en[s]=create_block_mask(t,None,None,s,s,device=l)
 return f"flex_attention (windows), {o} (full)"
def U(o,m,u,n,t):
 a=n<6;t.a('swa','windowed layers'if a else'full layers');i=256 if a else-1
 if a and t.ledger is None and o.size(1)in en:l=o.size(2)!=m.size(2);s=o.transpose(1,2),m.transpose(1,2),u.transpose(1,2);r=flex_attention(*s,block_mask=en[o.size(1)],enable_gqa=l);return r.transpose(1,2)
 return aY(ei,o,m,u,i,t)
def oa(a,t):t.a('tanh_softcap','caps');return 3e1*e.tanh(a/3e1)
def oo(a,t):t.a('tied_head','heads');return tZ(t.g['tok_emb.weight'],a,'head',0,0,t)
def oi(c):a=tuple(range(11));return a[:len(a)//2],a[len(a)//2:]
def on(a,n,t):
 if n not in(9,10):return a
 t.a('value_embedding','layers')
 if've'not in t.memo:i=h.embedding(t.ids,t.g['ve_shared.embed.weight']);i=h.linear(i,t.g['ve_shared.proj.weight'].to(i.dtype));t.memo['ve']=i*t.g['ve_shared.scale'].to(i.dtype)
 s=t.g[f"ve_layer_scales.{ip.index(n)}"];o=t.memo['ve'];return a+s.to(a.dtype)*o
def os(a,c,n,t):
 if n<0:return a
 t.a('xsa','layers');l=e.unflatten(a,2,(c.size(2),-1));i=h.normalize(c,dim=-1)[:,:,:,None,:];return(l-(l*i).sum(-1,keepdim=True)*i).flatten(2,3)
def oh(data):f=lzma.compress(data,preset=9);u.i('lzma',f"{len(data)} -> {len(f)} bytes");return f
def ol(data,i):
 f=lzma.LZMADecompressor(memlimit=2**27);t=f.decompress(data,i)
 if not f.eof or f.unused_data:raise ValueError(f"wanted one whole stream of at most {i} bytes")
 return t
def od(i):t=io.BytesIO();a={c.intern(o):{c.intern(f):n for(f,n)in s.items()}for(o,s)in i.items()};e.save(a,t);return t.getvalue()
def oc(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def ou(i):l=od(i);u.i('torch_save',f"{len(i)} tensors in {len(l)} bytes");return l
def om(data):return oc(data)
def of():
 try:t=SentencePieceProcessor(ef)
 except(OSError,RuntimeError)as r:raise OSError(f"{ef}: not a SentencePiece model")from r
 if len(t)>1024:raise ValueError(f"{ef} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{ef}: U+2581 is not a piece of its own")
 return t
def op(t):
 i=[(0,0,1)]*1024
 for a in range(len(t)):
  if not(t.is_control(a)or t.is_unknown(a)or t.is_unused(a)):c=t.id_to_piece(a);o=c.startswith('\u2581');i[a]=1 if t.is_byte(a)else len(c.encode())-3*o,o,0
 return e.tensor(i).T
def og(n):
 global iI,iH,iq,iG
 if any(o(el).glob('*_bytes_*')):raise ValueError(f"{el}: it has byte side files, build with the plugin that reads them")
 t=op(of());iG,iH,iI=t.to(l);iq=n
def ow(a,t,i):iq.count('sentencepiece_bytes','targets',t.numel());m=iG[t]+(iH[t]&~iI[a]);return m
def oy(t,n):
 global ex,iB,iz,ej,iA;ex=at(t)
 for d in ex:aa(d)
 iz=g;iA=a;iB=n;ej=O(ex[0])
def ob(a):
 global ej;s=[]
 while a>0:
  if not len(ej):ex.append(ex.pop(0));ej=O(ex[0])
  s.append(ej[:a]);ej=ej[a:];a-=len(s[-1])
 return ee.concatenate(s)
def ov():a=ob(iA*98305).reshape(iA,-1)[iz];a=e.from_numpy(a.astype(int));iB.count('sequential_loader','batches');return a[:-1].reshape(-1,4096),a[1:].reshape(-1,4096)
def ok(t):a=min(64,4096);o=t-1;i=range(0,max(o-(4096-a),1),a);return[Span(l,min(l+4096,o),0 if l==0 else 4096-a)for l in i]
def ox(f):global iC;s=[{'params':r,'spec':l}for(l,r,h)in f];iC=e.optim.AdamW(s,betas=(.9,.95),eps=1e-08,fused=True)
def oj(o,n):
 for i in iC.param_groups:i['lr']=i['spec'].lr*o.o;i['weight_decay']=i['spec'].weight_decay*o.F
 iC.step();n.count('adam','steps')
@e.no_grad()
def oq(r):global eq,iD;iD=0;eq=[t.detach().float().clone()for t in r]
@e.no_grad()
def oz(r,w,o):global iD;iD+=1;e._foreach_mul_(eq,.997);e._foreach_add_(eq,[t.detach().float()for t in r],alpha=1-.997)
@e.no_grad()
def oA(r):
 for(t,a)in zip(r,eq,strict=True):t.copy_(a)
 u.count('ema','updates',iD)
def oB(r,h,n):ea.utils.clip_grad_norm_(r,.3);n.count('grad_clip','steps')
def oC(t,o):a=min(t.step/1500,1.);f=(1-a)*.92+a*.99;u.i('momentum_warmup',f"momentum {f:.4f} at step {t.step}");return o._replace(momentum=f)
def oD(t,a,o,n):t.mul_(1-a*.04*o.F);n.count('muon_weight_decay','tensors decayed')
def oE(i,steps,scale_first):
 a=i.shape[-2]>i.shape[-1]
 if a:i=i.mT
 i=i/(i.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for d in range(steps):t=i@i.mT;o=2.0315*t@t if scale_first else 2.0315*(t@t);i=3.4445*i+(-4.775*t+o)@i
 return i.mT if a else i
class MuonBank(t):weight:t;names:t;M:t;full:t;C:t;momentum:t;b:t
def oF(r,h):
 global ez,iJ;iJ={};ez=[];w=e.bfloat16 if l.type=='cuda'else e.float32
 for(s,u)in sorted(zip(r,h,strict=True),key=lambda B:-B[0].numel()):*d,i,x=s.shape;t=-(-len(u)//a);c=(*u,*['']*t*a)[t*g:][:t];p=[(m,i,x)for m in(t*a,t)];n,o=[e.zeros(y,dtype=w,device=l)for y in p];b,f=[e.zeros(y,dtype=e.bfloat16,device=l)for y in p];ez.append(MuonBank(s,u,c,n,o,f,b))
def oG():
 global iE;iE=[]
 for t in ez:l=eE(t.weight).bfloat16();t.full.flatten()[:l.numel()].copy_(l.flatten());iE.append(eG(t.C,t.full))
def oH(o,n):
 i=[]
 for(t,r)in zip(ez,iE,strict=True):
  eI(r);f=a;l=(t.C/f).bfloat16();e=eV(l,t.momentum,o.momentum);e=eS(e,t.M);i.append((t,eH(t.b,e),e))
  if len(i)>1:oI(*i.pop(0),o,n)
 for s in i:oI(*s,o,n)
def oI(t,r,e,o,n):eI(r);s=t.weight;i=t.b.flatten()[:s.numel()].view_as(s);eT(s,i,t.names,eW(s),o,n);n.count('parallel_muon','bank updates');n.count('newton_schulz','matrices',t.b.size(0))
def V():global iF;iF=r.perf_counter()-es
def oJ():
 global es
 if e.cuda.is_available():e.cuda.synchronize()
 es=r.perf_counter()-iF;u.i('wall_clock',f"{es:.3f} seconds")
def oK(i):return 1e3*(r.perf_counter()-iF)
def oL(t):
 if t.k>0:a=4000*(t.x/max(t.step,1));return min(max(t.k-t.x,.0)/max(a,1e-09),1.)
 i=t.K-t.step;return i/4000 if 0<i<=4000 else 1.
def oM(t,o):a=oL(t);u.i('warmdown_iters',f"multiplier {a:.4f} at step {t.step}");return o._replace(o=o.o*a)
def oN(s,e,t):
 if not e.startswith(('attn.','mlp.'))or not t.training or'bank_qat'not in t.phases:return s
 t.a('bank_qat','matrices');d,i=eZ(s.detach().float());return s+(F(d,i,s.dtype)-s).detach()
def oO(t,threshold):return t.o<threshold
class Trial(t):codes:t;step:t;error:t
class oP:
 name='int6'
 def __init__(a,t):a.z=t
 def encode(a,name,tensor,statistics,ledger):
  if tensor.numel()<=65536 or tensor.ndim!=2:ledger.count('clip_search','tensors kept');return{'kept':tensor.half()}
  ledger.count('clip_search','tensors quantized');s,e=tensor.float(),None
  for i in te(s):r=C()if e else ledger;d=a.z(name,s,i,31,statistics,r);e=oR(e,oQ(s,d,i,statistics))
  return{'codes':e.codes,'step':e.step}
 def J(a,h,r,c):
  u.count('clip_search','tensors quantized',len(h));g=[t.float()for t in r];w=[te(s)for s in g];e=[None]*len(h);B=a.z
  for o in range(len(w[0])):
   y=[f for(f,m)in enumerate(w)if not any(m[o].equal(n)for n in m[:o])];T=[[b[f]for f in y]for b in(h,g)];p=[c[f]for f in y];m=[w[f][o]for f in y];l=B.solve(*T,m,31,p,C()if o else u)if y else[]
   for(f,d,i)in zip(y,l,m,strict=True):e[f]=oR(e[f],oQ(g[f],d,i,c[f]))
  return[{'codes':x.codes,'step':x.step}for x in e if x]
 def decode(a,name,parts,kind):return to(parts,kind)
def oQ(s,d,i,c):
 if'hessian'in c:m=c['hessian'].diagonal()==0;return Trial(d,i,tt(s.masked_fill(m,.0),d.masked_fill(m,0),i))
 return Trial(d,i,tt(s,d,i))
def oR(n,y):
 if n is None:return y
 t=y.error<n.error;return Trial(*(e.where(t,a,o)for(o,a)in zip(n,y,strict=True)))
class oS:
 V='hessian',
 def __init__(a):0
 def __call__(a,name,weight,step,t,c,ledger):return a.solve([name],[weight],[step],t,[c],ledger)[0]
 def solve(a,names,weights,steps,top,statistics,ledger):
  for(o,p)in zip(names,statistics,strict=True):
   if'hessian'not in p:raise ValueError(f"{o} has no input statistics, which gptq needs")
  T,et,x=[],[],[]
  for(s,p)in zip(weights,statistics,strict=True):r,m=ti(p['hessian']);B=p['order']if'order'in p else r.diagonal().argsort(descending=True,stable=True);T.append(B);et.append(r[B][:,B]);x.append(s.masked_fill(m,.0).T[B])
  y,u=oT(e.stack(et)),e.stack(x);d,i=e.empty_like(u),e.stack(steps).float()
  for l in range(0,u.shape[1],128):oU(u,d,y,i,top,l,min(l+128,u.shape[1]))
  b=(~y.isfinite()).flatten(1).any(1).tolist();ledger.count('gptq','matrices rounded to nearest, whose Hessian has no Cholesky factor',sum(b));ledger.count('gptq','matrices',len(names)-sum(b));return[D(weights[f],i[f],top)if b[f]else d[f,B.argsort()].T.contiguous().to(e.int8)for(f,B)in enumerate(T)]
def oT(r):t,b=e.linalg.cholesky_ex(r);a,i=e.linalg.cholesky_ex(e.cholesky_inverse(t),upper=True);return e.where((b+i>0)[...,None,None],e.nan,a)
def oU(u,d,y,i,t,l,o):
 s=e.empty_like(u[:,l:o])
 for a in range(l,o):d[:,a]=(u[:,a]/i).round().clamp(-t,t);r=(u[:,a]-d[:,a]*i)/y[:,a,a,None];u[:,a:o]-=y[:,a,a:o,None]*r[:,None];s[:,a-l]=r
 u[:,o:]-=y[:,l:o,o:].mT@s
def oV(c):
 h=[(o,f)for o in sorted(c)for f in sorted(c[o])]
 for(s,t)in enumerate(v(h)):
  if t!=h:i=sorted({*h}^{*t})[0][0];raise ValueError(f"ranks {g} and {s} have statistics of different matrices, such as {i}")
 for(o,f)in h:eD(c[o][f]).div_(a);u.count('hessian_all_reduce',f"statistics over {a} ranks")
 return c
class W:
 name='int8'
 def __init__(a,l):a.half=l
 def encode(a,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if a.half else tensor.float()}
  ledger.count('int8','tensors quantized');d,i=ta(tensor.float());return{'codes':d,'step':i}
 def decode(a,name,parts,kind):return to(parts,kind)
class Kept(t):keys:t;values:t;documents:t;N:t
class oW:
 def __init__(a,i):a.A=i;a.D=[];a.w=0;a.n=None;a.f=None
 def H(a,n,f):a.n,a.f,a.w=n,f,0
 def __call__(a,model,o,k,u,n,l,ctx):
  if a.n is None or a.f is None:a.D.append(a.L(o,k,u,n,ctx));return U(o,k,u,n,ctx)
  h=a.D[a.w];a.w+=1;s=o.size(1)//ctx.ids.size(1);g=e.arange(s,device=o.device);y,c=a.f*s+g,(a.f-a.n)*s+g;h.keys.index_copy_(1,y,k.index_select(1,c));h.values.index_copy_(1,y,u.index_select(1,c));p=a.n*s+e.arange(o.size(1),device=o.device);r=p[:,None]-e.arange(h.keys.size(1),device=o.device);d=(r>=0)&(r<h.N)
  if h.documents is not None:f=ctx.fields['documents'];h.documents.index_copy_(1,y,f.index_select(1,c));d=d&(f[:,None,:,None]==h.documents[:,None,None,:])
  return oX(o,h.keys,h.values,d)
 def L(a,o,m,u,n,t):
  s=m.size(1);h=dict(t.fields);f=h.pop('documents',None);c=t._replace(memo={},fields=h);y,p,d=e.zeros_like(o),e.zeros_like(m),e.zeros_like(u);d[:,0]=1;g=int((U(y,p,d,n,c)[0,:,0,0]>0).sum())
  if f is not None:l=s//2;h['documents']=(e.arange(s,device=o.device)>=l).long()[None];d=e.zeros_like(u);d[:,l-1]=1;r=U(y,p,d,n,c._replace(memo={}));B=not bool(r[0,l,0,0]>0);f=f.new_zeros(a.A,s)if B else None
  w,b=(i.new_zeros(a.A,*i.shape[1:])for i in(m,u));return Kept(w,b,f,g)
def oX(a,t,i,d):f=t.size(2);s=a.size(2)//f;o=e.unflatten(a,2,(f,s)).transpose(1,2).flatten(2,3);d=d.repeat_interleave(s,-2);r=h.scaled_dot_product_attention(o,t.transpose(1,2),i.transpose(1,2),attn_mask=d);return e.unflatten(r,2,(-1,s)).transpose(1,2).flatten(2,3)
def X(r,h,d):return Context(r,S(),False,m.matrices(),d,h,None,None,None)
def Y(r):return{}
class oY:
 def __init__(a,i):a.y=i;a.temperature=.8;a.ids=e.zeros_like(i,dtype=e.long);a.ids[:,0]=(i[:,0]*1024).long();a.E=e.zeros_like(i);a.f=a.ids.new_zeros(1);a.attention=oW(len(i));s=a.ids[:1];t=X(s,{**Y(s),'attention':a.attention},{});m.l(s,t);a.rotations=t.memo.get('rope',())
 def write(a):
  w=a.y.size(1)-1
  if a.y.is_cuda and w>3:w=a.Q(w)
  for d in range(w):a.step()
  return a.ids
 def Q(a,w):
  t=e.cuda.Stream();t.wait_stream(e.cuda.current_stream())
  with e.cuda.stream(t):
   for d in range(3):a.step()
  e.cuda.current_stream().wait_stream(t);i=e.cuda.CUDAGraph()
  try:
   with e.cuda.graph(i):a.step()
  except RuntimeError as r:s(f"decoding without a CUDA graph: {str(r).splitlines()[0]}");return w-3
  for d in range(w-3):i.replay()
  return 0
 def step(a):c=min(8,a.ids.size(1));n=(a.f-(c-1)).clamp_min(0);l=n+e.arange(c,device=n.device);a.attention.H(n,a.f);r=a.ids.index_select(1,l);h={o:y.index_select(1,l)for(o,y)in Y(a.ids).items()};d={'rope':tuple(f.index_select(0,l)for f in a.rotations)}if a.rotations else{};t=X(r,{**h,'attention':a.attention},d);i=m.l(r,t).index_select(1,a.f-n);s=m.logits(i,t)[:,0].float()/a.temperature;a.f.add_(1);u=oZ(s,a.y.index_select(1,a.f));a.ids.index_copy_(1,a.f,u);a.E.index_copy_(1,a.f,s.log_softmax(1).gather(1,u))
 def I(a):
  e=.0
  for n in range(0,len(a.ids),8):r=a.ids[n:n+8];t=X(r,Y(r),{});s=m.logits(m.l(r,t)[:,:-1],t).float();l=(s/a.temperature).log_softmax(2).gather(2,r[:,1:,None])[...,0];e+=(l-a.E[n:n+8,1:]).abs().sum().item()
  return e/a.ids[:,1:].numel()
def oZ(s,t):a=s.softmax(1).cumsum(1)<=t;return a.sum(1,keepdim=True).clamp_max(s.shape[1]-1)
def ie():
 t=64//a;o=(g+1)*t
 for n in range(o-t,o,64):f=range(n,min(n+64,o));i=e.stack([ii(s)for s in f]);u.count('self_calibration','sequences',len(i));r=it(i.to(l));yield from r[:,:-1].split(8)
def it(i):
 f=oY(i);r=f.write();t=f.I()
 if t<.1:return r
 u.count('self_calibration','sequences without a cache',len(i));s(f"self_calibration: with kept keys scores are {t:.3f} nats off: whole forwards");return e.cat([ia(n)for n in i.split(8)])
def ia(i):
 r=e.zeros_like(i,dtype=e.long);r[:,0]=(i[:,0]*1024).long()
 for f in range(1,i.shape[1]):s=ir(r,f-1);r[:,f]=oZ(s/.8,i[:,f:f+1])[:,0]
 return r
def ii(s):return e.rand(4096,generator=eM(f"self_calibration {s}"))
def ir(r,f):t=X(r,Y(r),{});return m.logits(m.l(r,t)[:,f:f+1],t)[:,0].float()
def ih():return Param('qo_bank',(22,512,512),'matrix','attn',(T,q),'banks',s=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(T,T),'banks',s=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(T,),'banks',s=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(q,),'banks',s=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',z,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',q,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',T,'bigram_hash'),Param('bigram.scale',(),'scalar','control',d(A,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',d(A,value=2.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',z,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',z,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',aG,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',q,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',d(eO,std=.005),'tied_head','activation',v='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',d(eO,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',d(A,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',z,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',T,'value_embedding')
iu=Group('embed',.035,.04)
im=Group('scalar',.025,.04)
eo=Phase('bank_qat',d(oO,threshold=.15),False,'bank_qat')
ip=9,10
def il():global ev;ev='swa';eY(ot())
ei=None
en={}
es=.0
ig=d(oE,scale_first=False)
er=None
p=eo,
iw='adam','additive_skips','bank_qat','banks','bigram_hash','clip_search','cross_entropy','ema','gptq','grad_clip','hessian_all_reduce','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ntk_rope','ortho_init','parallel_muon','pko','qk_gain','residual_scales','self_calibration','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','swa','tanh_softcap','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
eh={'attn':oP(oS()),'aux':W(True),'control':W(False),'embed':W(True),'mlp':oP(oS())}
if __name__=='__main__':am(ih())